from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.server.live import finish, inverted, layout, order, send, submit, volume

from napari_lightbox.server.picture import picture_of
from napari_lightbox.server.store.results import Results
from napari_lightbox.wire import ArrayCard


def opened(content):
    picture = Image.open(BytesIO(content))
    assert picture.format == "PNG"
    assert picture.mode == "RGBA"
    return np.asarray(picture)


def stored(folder, array, chunks, without=()):
    """An array of results with all chunks but some."""
    card = ArrayCard.of(array, chunks)
    result = Results(folder).create("job", "image", card)
    for index in card.indices:
        if index not in without:
            result.write(index, array[card.box(index)])
    return result


def test_the_picture_of_a_job(alice, image):
    job, _ = inverted(alice, image, (1, 16, 16), "zyx")
    answer = alice.get(f"/v1/jobs/{job}/picture.png")
    assert answer.headers["content-type"] == "image/png"
    seen = opened(answer.content)
    assert seen.shape == (20, 30, 4)
    assert (seen[..., 3] == 255).all()
    middle = ~image[1]
    assert np.corrcoef(seen[..., 0].ravel(), middle.ravel())[0, 1] > 0.99


def test_each_output_has_its_own(alice, image):
    job = submit(alice, order("threshold_otsu", volume(send(alice, image, (1, 20, 30)), image, "zyx")))
    assert finish(alice, job)["status"] == "done"
    layout(alice, job)
    seen = opened(alice.get(f"/v1/jobs/{job}/picture.png", params={"output": "labels"}).content)
    assert len(np.unique(seen.reshape(-1, 4), axis=0)) == 2
    for name in ("threshold", "nothing"):
        answer = alice.get(f"/v1/jobs/{job}/picture.png", params={"output": name})
        assert answer.status_code == 404
        assert "image or labels" in answer.json()["way_out"]


@pytest.mark.parametrize("size", ["0", "15", "513", "-1", "big"])
def test_sizes_have_limits(alice, image, size):
    job, _ = inverted(alice, image, (1, 20, 30), "zyx")
    assert alice.get(f"/v1/jobs/{job}/picture.png", params={"size": size}).status_code == 400


def test_the_plane_is_the_middle_one_and_small_enough(tmp_path):
    array = np.zeros((5, 3, 300, 100), np.uint8)
    array[2, 1, :, 50:] = 200
    seen = opened(picture_of(stored(tmp_path, array, (2, 2, 64, 64)), "tzyx", "image", 64))
    assert seen.shape == (60, 20, 4)
    assert seen[:, :10, 0].max() == 0
    assert seen[:, 10:, 0].min() == 255


def test_what_is_not_computed_yet_is_transparent(tmp_path):
    array = np.full((32, 32), 7, np.float32)
    result = stored(tmp_path, array, (16, 16), without={(0, 1)})
    alpha = opened(picture_of(result, "yx", "image", 64))[..., 3]
    assert (alpha[:16, 16:] == 0).all()
    assert alpha.mean() == 255 * 0.75


def test_nothing_at_all_yet(tmp_path):
    result = stored(tmp_path, np.zeros((8, 8), np.float32), (4, 4), without=set(np.ndindex(2, 2)))
    assert (opened(picture_of(result, "yx", "image", 16))[..., 3] == 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_stay_as_they_are(tmp_path, dtype):
    scale = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    array = np.zeros((4, 4, 3), dtype)
    array[:2, ..., 0], array[2:, ..., 1] = scale, scale / 2
    seen = opened(picture_of(stored(tmp_path, array, (2, 2, 2)), "yxc", "image", 16))
    assert (seen[:2, :, :3] == (255, 0, 0)).all()
    np.testing.assert_allclose(seen[2:, :, :3], np.broadcast_to((0, 127, 0), (2, 4, 3)), atol=1)


def test_labels_have_colours_of_their_own(tmp_path):
    array = np.arange(64, dtype=np.int32).reshape(8, 8)
    seen = opened(picture_of(stored(tmp_path, array, (8, 8)), "yx", "labels", 16))
    assert tuple(seen[0, 0]) == (0, 0, 0, 255)
    assert len(np.unique(seen.reshape(-1, 4), axis=0)) == 64
    steps = np.abs(np.diff(seen[..., :3].reshape(-1, 3).astype(int), axis=0)).sum(axis=1)
    assert steps[1:].min() > 60


def test_a_few_extremes_do_not_darken_the_rest(tmp_path):
    rng = np.random.default_rng(0)
    array = rng.normal(100, 10, (64, 64)).astype(np.float32)
    array[0, :4] = np.inf, -np.inf, np.nan, 1e30
    gray = opened(picture_of(stored(tmp_path, array, (64, 64)), "yx", "image", 64))[..., 0]
    assert 100 < gray[1:].mean() < 155
    assert gray[1:].std() > 40


@pytest.mark.parametrize(
    ("array", "axes", "shape"),
    [
        (np.arange(9.0), "x", (1, 9)),
        (np.array(3.0), "", (1, 1)),
        (np.ones((2, 3, 4), bool), "", (3, 4)),
        (np.ones((3, 4, 5), complex), "zyx", (4, 5)),
        (np.ones((4, 5, 2), np.int16), "yxc", (4, 5)),
        (np.full((3, 3), 5), "yx", (3, 3)),
    ],
)
def test_arrays_of_any_kind(tmp_path, array, axes, shape):
    result = stored(tmp_path, array, tuple(max(1, n // 2) for n in array.shape))
    assert opened(picture_of(result, axes, "image", 16)).shape[:2] == shape
