from __future__ import annotations

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AccessError, NotFoundError
from napari_lightbox.wire import ArrayCard, decode_error


@pytest.fixture(scope="module")
def stored(live):
    data = np.random.default_rng(1).integers(0, 999, (4, 20, 24), dtype=np.uint16)
    image = Volume(data, Geometry.of("zyx", data.shape, (3, 1, 1), None, ("mm",) * 3))
    lb.write(live.config.roots[0] / "head.nii", image)
    return image


def test_a_file_below_a_root_is_opened(live, alice, stored):
    told = alice.post("/v1/references", json={"location": str(live.config.roots[0] / "head.nii")}).json()
    assert Geometry.from_json(told["geometry"]) == stored.geometry
    card = ArrayCard.from_json(told["card"])
    assert (card.shape, card.kind) == (stored.shape, stored.dtype)
    assert told["role"] == "image"


def test_a_job_reads_it(live, alice, stored):
    from tests.server.live import array_id, finish, layout, order, pixels, submit

    told = alice.post("/v1/references", json={"location": "head.nii"}).json()
    value = {"kind": "volume", "data": f"reference:{told['id']}", "geometry": told["geometry"], "role": "image", "name": ""}
    job = submit(alice, order("invert_intensity", value))
    assert finish(alice, job)["status"] == "done"
    array = array_id(layout(alice, job))
    card = alice.get(f"/v1/arrays/{array}/card").json()["card"]
    found = np.zeros(stored.shape, stored.dtype)
    known = ArrayCard.from_json(card)
    for index in known.indices:
        body = alice.get(f"/v1/arrays/{array}/c/{'/'.join(map(str, index))}").content
        found[known.box(index)] = pixels(card, body, index)
    np.testing.assert_array_equal(found, ~np.asarray(stored.data))


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../secret", "file:///etc/passwd", "http://127.0.0.1:1/a.zarr", "\\\\host\\share"]
)
def test_everything_else_is_refused(alice, location):
    answer = alice.post("/v1/references", json={"location": location})
    assert answer.status_code == 401
    assert isinstance(decode_error(answer.json()), AccessError)


def test_what_is_not_there(alice):
    answer = alice.post("/v1/references", json={"location": "nothing.nii"})
    assert answer.status_code == 404
    assert isinstance(decode_error(answer.json()), NotFoundError)
