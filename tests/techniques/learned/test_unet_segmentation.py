"""U-Net segmentation through the engine: lazy equals whole, planes of volumes, colour, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from tests.tiny_models import save_tiny

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import Extent, registry
from napari_lightbox.engine.local import LocalRunner
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import InputError, LightboxError, ParameterError, ReadError
from napari_lightbox.models.card import Normalisation
from napari_lightbox.models.load import load_predictor
from napari_lightbox.models.nets.unet_plan import UNetPlan
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.testing.sources import WatchedArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")

TECHNIQUE = "unet_segmentation"
PROMISE = 1e-4


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("models") / "planes", 2, levels=3, ids=(0, 4, 9)))


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> str:
    plan = UNetPlan.of(3, 1, 2, levels=3, width=4, spacing=(2.5, 1, 1))
    return str(save_tiny(tmp_path_factory.mktemp("models") / "volumes", ids=(0, 1), plan=plan))


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1000, shape).astype(np.uint16)


def oracle(image: np.ndarray, model: str) -> np.ndarray:
    """Probabilities of the whole image in one pass of the bare network, normalised by hand."""
    predictor, _ = load_predictor(model)
    with torch.no_grad():
        pixels = torch.from_numpy(((image - 500.0) / 300.0).astype(np.float32))[None, None]
        return predictor.network(pixels).softmax(1)[0].numpy()


@pytest.mark.parametrize("chunks", [(50, 60), (131, 7), (64, 64), (37, 177), (33, 1)])
def test_tiled_equals_the_bare_network_2d(planes: str, chunks: tuple[int, int]) -> None:
    image = noise((131, 177))
    expected = oracle(image, planes)
    if chunks == (33, 1):
        image, expected = image[:, :60], oracle(image[:, :60], planes)
    labels, chances = lb.apply(TECHNIQUE, da.from_array(image, chunks=chunks), planes, full_prob=True)
    np.testing.assert_allclose(np.asarray(chances), expected, atol=PROMISE)
    np.testing.assert_array_equal(np.asarray(labels), np.array([0, 4, 9])[np.asarray(chances).argmax(0)])


@pytest.mark.parametrize("chunks", [(21, 45, 50), (6, 30, 30), (21, 16, 50)])
def test_tiled_equals_the_bare_network_3d(volumes: str, chunks: tuple[int, int, int]) -> None:
    image = noise((21, 45, 50))
    _, chances = lb.apply(TECHNIQUE, da.from_array(image, chunks=chunks), volumes, full_prob=True, axes="zyx")
    np.testing.assert_allclose(np.asarray(chances), oracle(image, volumes), atol=PROMISE)


def test_a_plane_model_goes_through_volumes_and_time(planes: str) -> None:
    stack = noise((2, 3, 40, 44))
    found = np.asarray(lb.apply(TECHNIQUE, da.from_array(stack, chunks=(1, 2, 25, 44)), planes, axes="tzyx")[0])
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[index], lb.apply(TECHNIQUE, stack[index], planes)[0])


def test_one_slice_of_a_volume_reads_one_slice(planes: str) -> None:
    watched = WatchedArray(noise((50, 40, 40)))
    result = lb.apply(TECHNIQUE, watched.lazy((1, 40, 40)), planes, axes="zyx")[0]
    assert not watched.reads
    np.asarray(result[7])
    assert len(watched.reads) == 1


def test_the_visible_tile_of_a_large_plane_reads_its_surroundings_alone(planes: str) -> None:
    watched = WatchedArray(noise((800, 800)))
    result = lb.apply(TECHNIQUE, watched.lazy((100, 100)), planes)[0]
    np.asarray(result[410:420, 410:420])
    assert len(watched.reads) == 9


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_the_type_of_the_numbers_does_not_matter(planes: str, dtype: str) -> None:
    image = noise((40, 40)) % 250
    expected = lb.apply(TECHNIQUE, image, planes, full_prob=True)[1]
    np.testing.assert_allclose(lb.apply(TECHNIQUE, image.astype(dtype), planes, full_prob=True)[1], expected, atol=1e-6)


def test_colour_is_seen_as_a_whole(tmp_path: Path) -> None:
    model = save_tiny(tmp_path / "m", 2, channels=3, normalisation=Normalisation((10.0, 20.0, 30.0), (5.0, 6.0, 7.0)))
    image = noise((37, 41, 3)).astype(np.uint8)
    predictor, _ = load_predictor(model)
    pixels = ((image - np.array([10.0, 20, 30])) / [5.0, 6, 7]).clip(-20, 20).astype(np.float32)
    with torch.no_grad():
        expected = predictor.network(torch.from_numpy(pixels).permute(2, 0, 1)[None]).softmax(1)[0].numpy()
    for axes, data in (("yxc", image), ("cyx", np.moveaxis(image, -1, 0))):
        labels, chances = lb.apply(TECHNIQUE, data, str(model), axes=axes, full_prob=True)
        assert labels.shape == (37, 41)
        np.testing.assert_allclose(chances, expected, atol=PROMISE)


def test_volumes_keep_their_place_and_know_their_model(planes: str) -> None:
    geometry = Geometry.of("yx", (40, 44), (0.5, 0.25), (3, 4), ("um", "um"))
    labels = lb.apply(TECHNIQUE, Volume(noise((40, 44)), geometry, name="x"), planes)[0]
    assert labels.geometry == geometry
    assert labels.role == "labels"
    assert planes in str(labels.metadata["provenance"][-1])


def test_unsure_pixels_become_zero(planes: str) -> None:
    image = noise((60, 60))
    labels, chances = lb.apply(TECHNIQUE, image, planes, full_prob=True)
    strict = lb.apply(TECHNIQUE, image, planes, minimum_probability=0.6)[0]
    np.testing.assert_array_equal(strict, np.where(chances.max(0) < 0.6, 0, labels))
    assert (strict != labels).any()


def test_the_runner_gives_the_same(planes: str) -> None:
    image = noise((90, 70))
    runner = LocalRunner(workers=1)
    try:
        volume = Volume(image, Geometry.of("yx", image.shape))
        found = runner.submit(Request(TECHNIQUE, (volume, planes))).result(60).main
    finally:
        runner.close()
    np.testing.assert_array_equal(np.asarray(found.data), lb.apply(TECHNIQUE, image, planes)[0])


def test_the_halo_follows_the_model(planes: str, volumes: str) -> None:
    radius = registry.get(TECHNIQUE).locality.radius
    assert radius({"model": planes}, Extent(2, (1, 1), np.uint8)) == (25, 25)
    assert radius({"model": planes}, Extent(3, (1, 1, 1), np.uint8)) == (0, 25, 25)
    assert radius({"model": volumes}, Extent(3, (1, 1, 1), np.uint8)) == (9, 25, 25)


def test_a_volume_model_refuses_a_plane(volumes: str) -> None:
    for image in (noise((40, 40)), da.from_array(noise((40, 40)), chunks=20)):
        with pytest.raises(ParameterError, match="works on volumes"):
            lb.apply(TECHNIQUE, image, volumes)
    with pytest.raises(ParameterError, match="works on volumes"):
        lb.apply(TECHNIQUE, noise((5, 40, 40)), volumes, axes="zyx", over="yx")


def test_other_channels_than_the_model_s(planes: str) -> None:
    with pytest.raises(InputError, match="trained on a gray image"):
        lb.apply(TECHNIQUE, noise((40, 40, 3)).astype(np.uint8), planes, axes="yxc")


@pytest.mark.parametrize("model", ["no such model", "/no/such/folder"])
def test_no_such_model(model: str) -> None:
    with pytest.raises(ParameterError, match="there is none"):
        lb.apply(TECHNIQUE, noise((40, 40)), model)


def test_no_model_at_all() -> None:
    with pytest.raises(LightboxError, match="model"):
        lb.apply(TECHNIQUE, noise((40, 40)))


def test_lazy_failures_come_before_any_work(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    (folder / "card.json").write_text("{}")
    with pytest.raises(ReadError):
        lb.apply(TECHNIQUE, da.zeros((40, 40), chunks=20), str(folder))


def test_defaults_of_training_fit_the_field_s_habits() -> None:
    assert TrainSettings().axes == "yx"
    assert UNetPlan.of(2, 1, 2, levels=TrainSettings().levels, width=TrainSettings().width).filters == (16, 32, 64, 128)
