"""Interpolation beside SciPy's at every kind of border, in rows that keep their depth and in rows that do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.axes import Geometry
from napari_lightbox.contract.where import Block
from napari_lightbox.kernels.affine_sampling import sample

SCIPY = {"blend": "grid-constant", "cut": "nearest", "nearest": "nearest", "reflect": "reflect", "mirror": "mirror"}
SHAPE = (7, 41, 300)


def turn(tilt):
    """Return a rotation in the plane with depths between the samples, which begins and ends outside; tilted or not."""
    a = np.deg2rad(5)
    matrix = np.eye(4)
    matrix[:3, :3] = [[0.7, 0, tilt], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    matrix[:3, 3] = -1.6, 3.4, -2.3
    return matrix


@pytest.mark.parametrize("outside", list(SCIPY))
@pytest.mark.parametrize("tilt", [0.0, 1e-16, 0.01])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_linear_equals_scipy(outside, tilt, dtype):
    data = np.random.default_rng(4).uniform(0, 255, SHAPE).astype(dtype)
    matrix, target = turn(tilt), (14, 45, 310)
    where = Block((0, 0, 0), SHAPE, (0, 0, 0), target, Geometry("zyx", SHAPE))
    wanted = ndimage.affine_transform(
        data.astype(float), matrix[:3, :3], matrix[:3, 3], target, order=1, mode=SCIPY[outside], cval=7.0
    )
    if outside == "cut":
        at = np.einsum("ij,j...->i...", matrix[:3, :3], np.indices(target)) + matrix[:3, 3].reshape(3, 1, 1, 1)
        limits = np.array(SHAPE).reshape(3, 1, 1, 1) - 0.5
        wanted[((at < -0.5) | (at >= limits)).any(axis=0)] = 7.0
    found = sample(data, matrix, where, "linear", outside, 7.0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.5001 if dtype == "uint8" else 1e-4)


def test_only_the_two_planes_next_to_a_depth_count():
    data = np.random.default_rng(4).uniform(0, 1, (5, 12, 12))
    data[0], data[3] = np.nan, np.inf
    where = Block((0, 0, 0), data.shape, (0, 0, 0), (3, 11, 11), Geometry("zyx", data.shape))
    matrix = np.eye(4)
    matrix[:3, 3] = 0.0, 0.25, 0.5
    matrix[0] = 0.5, 0, 0, 1.0
    found = sample(data, matrix, where, "linear", "nearest")
    assert np.isfinite(found).all()
    plane = ndimage.shift(data[1:3], (0, -0.25, -0.5), order=1)[:, :11, :11]
    np.testing.assert_allclose(found, [plane[0], plane.mean(axis=0), plane[1]], atol=1e-12)
