from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from napari_lightbox.axes import Geometry
from napari_lightbox.samples import brain_mri, cells, moving_objects, thorax_ct
from napari_lightbox.samples.bodies import coordinates
from napari_lightbox.samples.brain_mri import SIGNAL, TUMOUR_RADII_MM
from napari_lightbox.samples.scanner import add_rician_noise, bias_field
from napari_lightbox.samples.thorax_ct import HOUNSFIELD, ORGANS

MAKERS = MappingProxyType(
    {
        "brain": lambda seed: brain_mri((6, 3, 3), seed=seed),
        "chest": lambda seed: thorax_ct((10, 5, 5), seed=seed),
        "cells_2d": lambda seed: cells((64, 80), count=10, seed=seed),
        "cells_3d": lambda seed: cells((12, 40, 40), count=6, seed=seed),
        "cells_time": lambda seed: cells((48, 48), count=6, frames=4, seed=seed),
        "video": lambda seed: moving_objects(5, (40, 50), size=5, seed=seed),
    }
)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_seed_decides_everything(make):
    first, again, other = make(0), make(0), make(1)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.data, two.data)
    assert not np.array_equal(first.image.data, other.image.data)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_truth_lies_on_the_grid_of_the_image(make):
    image, labels = make(0)
    assert labels.role == "labels"
    assert labels.data.dtype == np.int32
    assert labels.geometry == image.geometry.without("c")


def test_ct_shows_the_hounsfield_units_of_its_organs():
    image, labels = thorax_ct((5, 2, 2), noise=10)
    assert image.data.dtype == np.int16
    for label in ORGANS:
        if label in (4, 8):  # thin: partial volume pulls bones and vessels towards their surroundings
            continue
        median = float(np.median(image.data[labels.data == label]))
        assert abs(median - HOUNSFIELD[label]) < 12, ORGANS[label]


@pytest.mark.parametrize("spacing", [(4, 2, 2), (2.5, 2.5, 2.5), (6, 1.5, 3)])
def test_the_same_body_at_any_spacing(spacing):
    """Counting voxel centres is off by about the surface's share of voxels, a few percent for these bodies."""
    _, labels = thorax_ct(spacing)
    truth = labels.metadata
    assert truth["volume_ml"]["tumour"] == pytest.approx(truth["tumour_ml"], rel=0.06)
    assert truth["volume_ml"]["heart"] == pytest.approx(4 / 3 * np.pi * 52 * 45 * 50 / 1000, rel=0.03)
    _, fine = thorax_ct((3, 2, 2))
    for name, volume in fine.metadata["volume_ml"].items():
        if name in ("lungs", "liver", "muscle"):
            assert truth["volume_ml"][name] == pytest.approx(volume, rel=0.02), name


def test_volumes_follow_from_labels_and_voxel_size():
    _, labels = brain_mri((6, 3, 3))
    voxel = abs(np.linalg.det(labels.geometry.affine)) / 1000
    for label, name in labels.metadata["names"].items():
        assert labels.metadata["volume_ml"][name] == pytest.approx((labels.data == label).sum() * voxel)
    assert labels.metadata["volume_ml"]["tumour"] == pytest.approx(4 / 3 * np.pi * np.prod(TUMOUR_RADII_MM) / 1000, rel=0.05)


def test_mri_without_bias_and_noise_shows_the_tissue_signal():
    image, labels = brain_mri((6, 3, 3), bias=0, noise=0)
    for label in (1, 4, 5, 7):
        assert float(np.median(image.data[labels.data == label])) == pytest.approx(SIGNAL[label], rel=0.03)


def test_bias_field_multiplies_the_image():
    plain, _ = brain_mri((6, 3, 3), bias=0, noise=0)
    biased, _ = brain_mri((6, 3, 3), bias=0.3, noise=0)
    bright = plain.data > 200
    ratio = biased.data[bright] / plain.data[bright]
    field = np.broadcast_to(bias_field(coordinates(plain.shape, (6, 3, 3)), 0.3), plain.shape)
    assert np.abs(ratio - field[bright]).max() < 0.01  # both images are rounded to whole numbers, at least 200
    assert np.abs(field - 1).max() == pytest.approx(0.3, rel=1e-5)


def test_rician_noise_has_its_known_mean():
    """In air the magnitude is Rayleigh distributed: mean sigma sqrt(pi / 2); far above the noise it is nearly Gaussian."""
    rng = np.random.default_rng(0)
    air = add_rician_noise(rng, np.zeros(200_000, np.float32), 10.0)
    assert air.mean() == pytest.approx(10 * np.sqrt(np.pi / 2), rel=0.01)
    bright = add_rician_noise(rng, np.full(200_000, 500, np.float32), 10.0)
    assert bright.mean() == pytest.approx(500 + 10**2 / (2 * 500), abs=0.1)
    assert bright.std() == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("shape", [(96, 96), (16, 48, 48)])
def test_cells_are_whole_and_bright(shape):
    from skimage.measure import label

    image, labels = cells(shape, count=12, touching=0)
    count = labels.metadata["count"]
    assert set(np.unique(labels.data)) == set(range(count + 1))
    assert len(np.unique(label(labels.data, connectivity=1))) == count + 1  # without touching, each is one piece
    assert np.median(image.data[labels.data > 0]) > 4 * np.median(image.data[labels.data == 0])


def test_cells_keep_their_label_over_time():
    _, labels = cells((96, 96), count=8, frames=6, touching=0, seed=2)
    assert labels.axes == "tyx"
    for one, two in zip(labels.data[:-1], labels.data[1:], strict=True):
        for label in np.intersect1d(np.unique(one), np.unique(two))[1:]:
            centres = [np.argwhere(frame == label).mean(axis=0) for frame in (one, two)]
            assert np.linalg.norm(centres[0] - centres[1]) < 9  # less than one radius per frame


def test_moving_objects_carry_their_masks_along():
    image, labels = moving_objects(12, (80, 100), count=2, size=8, flicker=0, noise=0)
    for frame, positions in enumerate(labels.metadata["positions"]):
        for index, (y, x) in enumerate(positions):
            seen = labels.data[frame, round(y), round(x)]
            assert seen in range(index + 1, 3)  # itself, or one that passes in front
    colours = [np.unique(image.data[labels.data == label], axis=0) for label in (1, 2)]
    assert [len(c) for c in colours] == [1, 1]
    still = np.all(labels.data == 0, axis=0)
    assert (np.ptp(image.data[:, still].astype(int), axis=0) == 0).all()


def test_geometry_is_centred_and_physical():
    image, _ = thorax_ct((5, 2, 2))
    middle = (np.array(image.shape) - 1) / 2
    assert image.geometry.affine[:3] @ [*middle, 1] == pytest.approx([0, 0, 0], abs=1e-4)
    assert image.geometry == Geometry.of("zyx", image.shape, (5, 2, 2), image.geometry.origin, ("mm",) * 3)
