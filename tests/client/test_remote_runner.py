"""The remote runner passes the suite for runners, and tells what the server has."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from tests.client.serving import OTHER_TOKEN, TOKEN

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import AccessError, InputError, LightboxError, NotFoundError, ParameterError, UnknownTechniqueError
from napari_lightbox.testing import RunnerSuite


def volume(data, **details) -> Volume:
    return Volume(data, Geometry.of("zyx"[-data.ndim :], data.shape, 1.5), {"patient": "phantom"}, name="brain", **details)


def pixels(*shape, dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 900, shape).astype(dtype)


class TestRemoteRunner(RunnerSuite):
    @pytest.fixture
    def runner(self, server):
        with lb.connect(server.url, TOKEN, patience=30) as runner:
            yield runner


def test_results_know_how_they_were_made_as_local_ones_do(runner) -> None:
    image = volume(pixels(6, 30, 31))
    request = Request("threshold_otsu", (image,))
    there, here = runner.submit(request).result(60), execute(request, Control())
    assert there.provenance == here.provenance
    assert list(there.outputs) == list(here.outputs)
    assert there.main.metadata == here.main.metadata
    assert (there.main.name, there.main.role) == (here.main.name, here.main.role)
    chained = Request("connected_components", (there.main,))
    assert runner.submit(chained).result(60).main.metadata == execute(chained, Control()).main.metadata


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", ">u2", "<i4", "int64", "uint64", "float16", ">f4", "float64"])
def test_types_and_byte_orders_arrive_exactly(runner, dtype) -> None:
    image = pixels(5, 7, 9, dtype=dtype)[::-1, :, 1::2]
    request = Request("flip", (volume(image),), {"axis": "both"})
    result = runner.submit(request).result(60).main
    expected = execute(request, Control()).main
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.data, expected.data)


def test_apply_takes_and_gives_what_lb_apply_does(runner) -> None:
    image = pixels(40, 41, dtype=np.uint8)
    bare = runner.apply("gaussian_blur", image, sigma=2.0)
    assert isinstance(bare, np.ndarray)
    np.testing.assert_array_equal(bare, lb.apply("gaussian_blur", image, sigma=2.0))
    labels, threshold = runner.apply("threshold_otsu", volume(image))
    assert isinstance(labels, Volume)
    assert threshold == lb.apply("threshold_otsu", image).threshold
    lazy = runner.apply("invert_intensity", da.from_array(image, chunks=(20, 20)))
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), 255 - image)
    mask = np.zeros(image.shape, bool)
    mask[:9] = True
    restricted = runner.apply("invert_intensity", image, mask=mask, axes="yx", spacing=0.5)
    np.testing.assert_array_equal(restricted, np.where(mask, 255 - image, image))
    with pytest.raises(ParameterError, match="sigmma"):
        runner.apply("gaussian_blur", image, sigmma=2.0)


def test_what_the_server_refuses_comes_back_as_the_error_it_is(runner) -> None:
    image = volume(pixels(20, 21))
    for request, kind, mention in [
        (Request("gausian_blur", (image,)), UnknownTechniqueError, "gaussian_blur"),
        (Request("gaussian_blur", (image,), {"sigma": -1.0}), ParameterError, "sigma"),
        (Request("gaussian_blur", (image,), {"sigmma": 1.0}), ParameterError, "sigmma"),
        (Request("marker_controlled_watershed", (image,)), InputError, "seeds"),
        (Request("gaussian_blur", (volume(np.array([["a"]])),)), LightboxError, "type"),
    ]:
        job = runner.submit(request)
        with pytest.raises(kind, match=mention) as caught:
            job.result(30)
        assert caught.value.way_out
        assert job.status == "failed"
        assert job.message == str(caught.value)


def test_jobs_are_listed_attached_to_and_deleted(runner, server) -> None:
    image = volume(pixels(4, 20, 21))
    job = runner.submit(Request("invert_intensity", (image,)))
    expected = job.result(60).main
    assert job.wait(30)
    card = next(card for card in runner.jobs() if card.id == job.id)
    assert (card.technique, card.status, card.fraction, card.error) == ("invert_intensity", "done", 1.0, None)
    with lb.connect(server.url, TOKEN) as later:
        again = later.attach(job.id)
        outcome = again.result(30)
        np.testing.assert_array_equal(np.asarray(outcome.main.data), expected.data)
        assert outcome.main.geometry == expected.geometry
        assert outcome.provenance["technique"] == "invert_intensity"
        assert again.wait(30)
        assert again.request.technique == "invert_intensity"
        assert later.attach(job.id, lazy=False).result(30).main.data.dtype == expected.dtype
    with lb.connect(server.url, OTHER_TOKEN) as stranger:
        assert job.id not in [card.id for card in stranger.jobs()]
        with pytest.raises((NotFoundError, AccessError)):
            stranger.attach(job.id).result(30)
    runner.delete(job.id)
    with pytest.raises(LightboxError):
        runner.attach(job.id).result(30)
    with pytest.raises(NotFoundError, match="no id"):
        runner.attach("../jobs")


def test_the_server_tells_what_it_can_do(runner) -> None:
    assert {t["id"] for t in runner.techniques()} == {t.id for t in registry.find()}
    assert [t.id for t in runner.find("denoise")] == [t.id for t in registry.find("denoise")]
    assert len(runner.cluster()["workers"]) == 2


def test_previews_are_computed_here(runner, traffic) -> None:
    image = volume(pixels(9, 40, 41))
    region = (slice(4, 5), slice(0, 40), slice(0, 41))
    request = Request("gaussian_blur", (image,), {"sigma": 1.0}, region=region, preview=True)
    outcome = runner.submit(request).result(30)
    assert outcome.preview
    np.testing.assert_array_equal(outcome.main.data, execute(request, Control()).main.data)
    assert traffic.requests == []


def test_a_volume_on_the_server_is_an_input_that_does_not_travel(runner, traffic, tmp_path) -> None:
    image = volume(pixels(6, 32, 33))
    lb.write(tmp_path / "brain.ome.zarr", image)
    far = runner.open(str(tmp_path / "brain.ome.zarr"))
    assert far.shape[-3:] == image.shape
    outcome = runner.submit(Request("invert_intensity", (far,), lazy=False)).result(60)
    np.testing.assert_array_equal(np.squeeze(outcome.main.data), lb.apply("invert_intensity", image).data)
    assert traffic.sent == []
    with pytest.raises(InputError, match="on the server"):
        far.data.compute()
    with pytest.raises(AccessError):
        runner.open("/etc/passwd")
