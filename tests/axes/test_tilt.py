"""Grids that are shown straight, and the way back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_lightbox.axes.affine import spacing_of
from napari_lightbox.axes.tilt import straightened

LINEAR = arrays(np.float64, (3, 3), elements=st.floats(-2, 2, width=32)).filter(
    lambda m: abs(np.linalg.det(m)) > 0.05 and np.abs(m).max(axis=0).min() > 0.05
)


def matrix_of(linear: np.ndarray, origin: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, origin
    return matrix


@given(LINEAR, arrays(np.float64, 3, elements=st.floats(-100, 100, width=32)))
def test_the_tilt_takes_the_straight_grid_back(linear: np.ndarray, origin: np.ndarray) -> None:
    matrix = matrix_of(linear, origin)
    shown, tilt = straightened(matrix)
    if tilt is None:
        np.testing.assert_array_equal(shown, matrix)
        return
    np.testing.assert_allclose(tilt @ shown, matrix, atol=1e-9)
    assert np.count_nonzero(shown[:3, :3]) == 3
    np.testing.assert_allclose(spacing_of(shown), spacing_of(matrix))
    np.testing.assert_allclose(tilt @ [0, 0, 0, 1], [0, 0, 0, 1])


@given(
    LINEAR, arrays(np.float64, 3, elements=st.floats(-100, 100, width=32)), st.lists(st.integers(-50, 50), min_size=3, max_size=3)
)
def test_grids_of_the_same_directions_stay_together(linear: np.ndarray, origin: np.ndarray, start: list[int]) -> None:
    matrix = matrix_of(linear, origin)
    finer = matrix @ np.diag([0.5, 2, 0.25, 1])
    finer[:, 3] = matrix @ [*start, 1]
    (shown, _), (beside, _) = straightened(matrix), straightened(finer)
    np.testing.assert_allclose(beside @ [0, 0, 0, 1], shown @ [*start, 1], atol=1e-6)


def test_an_axis_that_runs_backwards_is_still_shown_backwards() -> None:
    angle = np.radians(9)
    linear = np.diag([2.2, -2, 2]) @ [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    shown, tilt = straightened(matrix_of(linear, np.zeros(3)))
    assert tilt is not None
    assert np.sign(shown.diagonal()).tolist() == [1, -1, 1, 1]


def test_straight_grids_and_turns_within_the_plane_are_left_alone() -> None:
    for linear in (np.diag([3, 1, 1]), np.diag([3, -1, 1]), [[3, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]]):
        matrix = matrix_of(np.array(linear, float), np.ones(3))
        shown, tilt = straightened(matrix)
        assert tilt is None
        assert shown is matrix
