"""Panoramas of crops of one picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from napari_lightbox.errors import InputError
from napari_lightbox.techniques.mosaic.panorama_stitcher import panorama_stitcher


@pytest.fixture(scope="module")
def scene():
    return cv2.resize(data.astronaut(), (1536, 700), interpolation=cv2.INTER_CUBIC)


def crops(scene):
    return [np.ascontiguousarray(scene[:, x : x + 640]) for x in (0, 300, 600, 896)]


@pytest.mark.parametrize(("mode", "likeness"), [("panorama", 0.997), ("scans", 0.999)])
def test_four_crops_become_the_scene_again(scene, mode, likeness):
    pictures = crops(scene)
    for picture in pictures:
        picture.flags.writeable = False
    result, table = panorama_stitcher(pictures, mode=mode)
    assert abs(result.shape[0] - 700) <= 3
    assert abs(result.shape[1] - 1536) <= 4
    assert result.dtype == np.uint8
    assert table["used"].all()
    assert (table["focal"] > 0).all()
    inner = np.ascontiguousarray(result[15:685, 15:1515])
    assert cv2.matchTemplate(scene, inner, cv2.TM_CCOEFF_NORMED).max() > likeness  # also: colours in their order
    again, _ = panorama_stitcher(pictures, mode=mode)
    np.testing.assert_array_equal(again, result)


def test_order_does_not_matter_and_strangers_are_named(scene):
    stranger = cv2.resize(data.coffee(), (640, 700))
    pictures = crops(scene)
    with pytest.warns(UserWarning, match="left out.*: 1$"):
        result, table = panorama_stitcher([pictures[2], stranger, pictures[0], pictures[1]], mode="scans")
    assert table["used"].tolist() == [True, False, True, True]
    assert np.isnan(table["focal"][1])
    assert abs(result.shape[1] - 1240) <= 4


def test_gray_pictures_give_a_gray_panorama(scene):
    gray = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in crops(scene)[:2]]
    result, _ = panorama_stitcher(gray, mode="scans")
    assert result.ndim == 2
    assert abs(result.shape[1] - 940) <= 4


@pytest.mark.parametrize(
    ("pictures", "match"),
    [
        ([np.zeros((300, 300, 3), np.uint8)] * 2, "overlap"),
        ([np.zeros((300, 300, 3), np.uint8)], "1 picture"),
        ([np.zeros((300, 300, 3), np.uint16)] * 2, "dtype"),
        ([np.zeros((300, 300, 5), np.uint8)] * 2, "channels"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_a_way_out(pictures, match):
    with pytest.raises(InputError, match=match):
        panorama_stitcher(pictures)
