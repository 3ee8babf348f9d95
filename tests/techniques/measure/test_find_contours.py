"""Contours: scikit-image, disks with known outlines, nesting, border crossing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from napari_lightbox.errors import InputError
from napari_lightbox.techniques.measure.find_contours import find_contours


def disk(radius, shape=(101, 121), centre=(50, 60)):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def rings():
    return disk(40) & ~disk(30) | disk(20)


@pytest.mark.parametrize("level", [0.5, 0.8, None])
@pytest.mark.parametrize("connected", ["low", "high"])
@pytest.mark.parametrize("orientation", ["low", "high"])
def test_lines_equal_scikit_image(level, connected, orientation):
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((40, 50)), 1)
    image = (image - image.min()) / np.ptp(image)
    found = find_contours(image, level=level, fully_connected=connected, positive_orientation=orientation).contours
    expected = measure.find_contours(image, level, fully_connected=connected, positive_orientation=orientation)
    assert len(found.data) == len(expected)
    for ours, theirs, kind in zip(found.data, expected, found.kinds, strict=True):
        closed = (theirs[0] == theirs[-1]).all()
        assert kind == ("polygon" if closed else "path")
        np.testing.assert_array_equal(ours, theirs[:-1] if closed else theirs)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int32", "float32"])
def test_a_disk_has_one_closed_outline_of_the_right_size(dtype):
    y, x = np.indices((101, 121))
    smooth = np.clip(35.5 - np.hypot(y - 50, x - 60), 0, 1)
    image = disk(35).astype(dtype) if dtype in ("bool", "int32") else (smooth * 200).astype(dtype)
    found = find_contours(image, circles=True).contours
    assert found.kinds == ["polygon"]
    row = found.features.rows()[0]
    share = 0.08 if dtype in ("bool", "int32") else 0.01  # a staircase of half-pixel corners is longer than a circle
    assert row["length"] == pytest.approx(2 * np.pi * 35, rel=share)
    assert row["area"] == pytest.approx(np.pi * 35**2, rel=0.01)
    assert (row["centre_y"], row["centre_x"], row["radius"]) == pytest.approx((50, 60, 35), abs=1)


def test_nested_disks_and_lines_that_leave_the_image():
    assert len(find_contours(rings().astype(float)).contours.data) == 3
    open_line = find_contours(disk(30, centre=(0, 60)).astype(np.uint8), level=0.8).contours
    assert open_line.kinds == ["path"]
    assert open_line.features["area"].tolist() == [0]
    assert not open_line.features["closed"][0]


def test_border_modes_know_what_lies_in_what():
    image = rings().astype(np.int32) * 3
    outer = find_contours(image, retrieval="external").contours
    everything = find_contours(image, retrieval="all", circles=True).contours
    inner = find_contours(image, retrieval="inner").contours
    assert (len(outer.data), len(everything.data), len(inner.data)) == (1, 3, 2)
    by_radius = np.argsort(everything.features["radius"])[::-1]
    numbers, parents = everything.features["number"], everything.features["parent"]
    assert parents[by_radius].tolist() == [0, numbers[by_radius[0]], numbers[by_radius[1]]]
    ring = find_contours(disk(40) & ~disk(30), retrieval="inner").contours
    assert len(ring.data) == 1
    assert ring.features["parent"].tolist() == [0]


def test_external_contours_count_components_and_enclose_them():
    labels = np.zeros((120, 160), np.int32)
    centres = [(30, 30), (30, 110), (90, 60)]
    for i, centre in enumerate(centres):
        labels[disk(12 + i, labels.shape, centre)] = i + 1
    found = find_contours(labels, retrieval="external", circles=True)
    assert len(found.contours.data) == ndimage.label(labels)[1] == 3
    rows = sorted(found.contours.features.rows(), key=lambda r: r["radius"])
    for i, (row, centre) in enumerate(zip(rows, centres, strict=True)):
        assert (row["centre_y"], row["centre_x"], row["radius"]) == pytest.approx((*centre, 12 + i), abs=1)
    assert found.circles.kinds == ["ellipse"] * 3
    np.testing.assert_allclose(found.circles.data[0].mean(axis=0) - found.anchors.data[0], [10, 0])
    assert (labels[tuple(found.contours.data[0].astype(int).T)] > 0).all()


def test_levels_and_least_sizes_of_objects():
    image = np.zeros((20, 20), np.uint8)
    image[2, 2], image[8:15, 8:15] = 50, 200
    assert len(find_contours(image, retrieval="external").contours.data) == 2
    assert len(find_contours(image, retrieval="external", level=100.0).contours.data) == 1
    kept = find_contours(image, retrieval="external", min_points=5).contours
    assert kept.features["number"].tolist() == [1]
    assert len(kept.data[0]) == 24


def test_nothing_to_trace_and_refusals():
    for image in (np.zeros((5, 6)), np.full((5, 6), np.nan), np.ones((1, 9))):
        found = find_contours(image, circles=True)
        assert len(found.contours.data) == len(found.circles.data) == len(found.anchors.data) == 0
    assert len(find_contours(np.zeros((5, 6), bool), retrieval="all").contours.data) == 0
    with pytest.raises(InputError, match="NaN"):
        find_contours(np.full((5, 6), np.nan), retrieval="all")
