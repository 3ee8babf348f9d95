"""Tissue bands on a phantom with known inserts."""

from __future__ import annotations

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError

INSERTS = {1: -1000, 2: -700, 3: -100, 4: 40, 5: 900, 0: 200}


def phantom(dtype):
    volume = np.full((12, 30, 40), -1000.0)
    truth = np.ones(volume.shape, np.int32)
    for k, (label, value) in enumerate(INSERTS.items()):
        box = (slice(2, 10), slice(3, 27), slice(1 + 6 * k, 6 + 6 * k))
        volume[box], truth[box] = value, label
    return volume.astype(dtype), truth


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_inserts_are_recovered_exactly(dtype):
    volume, truth = phantom(dtype)
    np.testing.assert_array_equal(lb.apply("threshold_hounsfield", volume), truth)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32"])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (0.5, -1024.0), (2.0, -1000.0)])
def test_stored_values_give_the_same(dtype, slope, intercept):
    volume, truth = phantom(np.float64)
    stored = np.rint((volume - intercept) / slope).astype(dtype)
    np.testing.assert_array_equal(lb.apply("threshold_hounsfield", stored, slope=slope, intercept=intercept), truth)


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64"])
def test_band_borders(dtype):
    values = np.array([[-901, -900, -500, -499, -151, -150, -30, -29, 100, 101, 300, 301]], dtype)
    np.testing.assert_array_equal(lb.apply("threshold_hounsfield", values), [[1, 2, 2, 0, 0, 3, 3, 4, 4, 0, 0, 5]])


def test_single_levels_and_editable_bands():
    volume, _ = phantom("int16")
    for level in (-300.0, 1150.0):
        np.testing.assert_array_equal(lb.apply("threshold_hounsfield", volume, level=level), volume > level)
    only_bone = lb.apply("threshold_hounsfield", volume, air=None, lung=None, fat=None, soft=None, bone=150)
    np.testing.assert_array_equal(only_bone, np.where(volume > 150, 5, 0))
    wide = lb.apply("threshold_hounsfield", volume, soft=(-30, 200))
    np.testing.assert_array_equal(wide[volume == 200], 4)
    with pytest.raises(ParameterError, match="fat"):
        lb.apply("threshold_hounsfield", volume, fat=(-30, -150))


def test_missing_values_have_no_tissue():
    np.testing.assert_array_equal(lb.apply("threshold_hounsfield", np.array([[np.nan, 40.0, np.inf, -np.inf]])), [[0, 4, 5, 1]])
