"""Splitting touching objects: planted discs and balls, the composed parts, steps to look at."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import data, filters
from skimage.feature import peak_local_max
from skimage.measure import regionprops

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.peaks import separated_peaks
from napari_lightbox.kernels.watershed import watershed
from napari_lightbox.techniques.segment_classical.split_touching_objects import split_touching_objects


def balls(shape, count, radius, gap, seed, spacing=None):
    """Bright balls whose centres are further apart than `gap`, in physical units."""
    steps = np.array(spacing or (1.0,) * len(shape))
    rng = np.random.default_rng(seed)
    size, centres = np.array(shape) * steps, []
    for _ in range(100_000):
        place = rng.uniform(radius + 1, size - radius - 1)
        if all(np.linalg.norm(place - c) > gap for c in centres):
            centres.append(place)
        if len(centres) == count:
            break
    assert len(centres) == count
    grid = np.moveaxis(np.indices(shape), 0, -1) * steps
    inside = np.any([((grid - c) ** 2).sum(-1) < radius**2 for c in centres], axis=0)
    image = np.clip(20 + 180 * inside + rng.normal(0, 5, shape), 0, 255).astype(np.uint8)
    return image, [tuple(np.rint(c / steps).astype(int)) for c in centres]


@pytest.mark.parametrize("seed", range(4))
def test_fifteen_discs_are_fifteen_objects(seed):
    image, centres = balls((220, 220), 15, 18, 28, seed)
    assert ndimage.label(image > 110)[1] < 15
    found = split_touching_objects(image)
    assert found.number == 15
    assert len({found.labels[c] for c in centres} - {0}) == 15
    dark = split_touching_objects(255 - image, invert=True, threshold=255.0 - 111)
    np.testing.assert_array_equal(dark.labels > 0, ndimage.binary_fill_holes(image > 110))
    assert dark.number == 15


def test_balls_in_thick_slices_are_split_by_physical_distance():
    spacing = (3.0, 1.0, 1.0)
    image, centres = balls((24, 64, 64), 8, 13, 21, 1, spacing)
    found = split_touching_objects(image, min_distance=9.0, unit="physical", spacing=spacing)
    assert found.number == 8
    assert len({found.labels[c] for c in centres} - {0}) == 8
    sizes = found.measures["size"]
    assert abs(np.median(sizes) / (4 / 3 * np.pi * 13**3) - 1) < 0.1


@pytest.mark.parametrize("shape", [(90, 100), (24, 50, 54)])
def test_the_workflow_equals_its_parts(shape):
    image = balls(shape, 5, 9, 13, 2)[0]
    found = split_touching_objects(image, min_distance=6.0, keep_steps=True)
    foreground = ndimage.binary_fill_holes(image > filters.threshold_otsu(image))
    distance = ndimage.distance_transform_edt(foreground)
    np.testing.assert_array_equal(found.foreground, foreground)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-6)
    peaks = peak_local_max(found.distance, min_distance=6, exclude_border=False)
    assert {tuple(p) for p in np.argwhere(found.markers)} >= {tuple(p) for p in peaks}
    assert ndimage.label(foreground)[1] >= found.number - len(peaks)
    np.testing.assert_array_equal(found.labels, watershed(-found.distance, found.markers, ~foreground))
    for region, row in zip(regionprops(found.labels), found.measures.rows(), strict=True):
        assert row["label"] == region.label
        assert row["pixels"] == region.area
        np.testing.assert_allclose([row[f"centroid_{a}"] for a in "zyx"[-image.ndim :]], region.centroid)


@pytest.mark.parametrize("shape", [(60, 70), (16, 20, 24)])
@pytest.mark.parametrize("apart", [1, 4])
def test_peaks_equal_scikit_image(shape, apart):
    values = ndimage.gaussian_filter(np.random.default_rng(3).random(shape), 1.5).astype(np.float32)
    expected = peak_local_max(values, min_distance=apart, exclude_border=False)
    found = np.stack(np.unravel_index(separated_peaks(values, (apart,) * len(shape)), shape), axis=-1)
    np.testing.assert_array_equal(found, expected)


def test_no_piece_is_lost_beside_a_larger_one():
    image = np.zeros((60, 80), np.uint8)
    image[10:50, 10:50] = 200
    image[28:32, 52:56] = 200
    assert split_touching_objects(image, min_distance=25.0).number == 2


def test_cleaning_steps():
    image = np.zeros((60, 60), np.uint8)
    image[10:40, 10:40] = 200
    image[20:25, 20:25] = 0
    image[24, 40:60] = 200
    image[50:53, 5:8] = 200
    plain = split_touching_objects(image, min_distance=20.0, keep_steps=True)
    assert plain.foreground[22, 22] == 1
    assert split_touching_objects(image, fill_holes=False, keep_steps=True).foreground[22, 22] == 0
    clean = split_touching_objects(image, min_distance=20.0, min_size=50.0, opening_radius=3.0, keep_steps=True)
    assert clean.number == 1
    assert clean.foreground[24, 45] == 0
    assert clean.foreground[11:39, 11:39].mean() > 0.99
    masked = split_touching_objects(image, np.arange(60) < np.full((60, 1), 20), min_distance=20.0)
    assert (masked.labels[:, 20:] == 0).all()


def test_coins_come_near_the_true_twenty_four():
    found = split_touching_objects(data.coins(), min_distance=20.0, min_size=100.0)
    assert abs(found.number - 24) <= 2  # the lighting is uneven and the threshold is global


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.full((5, 6, 7), 3.5), np.zeros((1, 30))])
def test_a_constant_image_holds_no_objects(image):
    found = split_touching_objects(image)
    assert found.number == 0
    assert not found.labels.any()
    assert len(found.measures) == 0
    assert (split_touching_objects(image, threshold=-1.0).labels == 1).all()


def test_a_connectivity_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="2D"):
        split_touching_objects(np.eye(9), connectivity=3)


def test_lazy_equals_eager_over_time():
    image = np.stack([balls((80, 90), 4, 12, 18, seed)[0] for seed in (5, 6)])
    eager = apply(split_touching_objects.technique, image, axes="tyx")
    lazy = apply(split_touching_objects.technique, da.from_array(image, chunks=(1, 33, 90)), axes="tyx")
    np.testing.assert_array_equal(np.asarray(lazy.labels), eager.labels)
    np.testing.assert_array_equal(eager.labels[1], split_touching_objects(image[1]).labels)
