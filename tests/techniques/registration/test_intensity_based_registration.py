"""Registration finds planted movements, in world units, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points
from napari_lightbox.errors import InputError, ParameterError

SIZE, OFFSET = 240, 120


def planted(angle, shift, scale=1.0):
    """Return two views of one photograph and the matrix between them; nothing but photograph reaches the borders."""
    photograph = data.camera().astype(float)
    centre, a = np.full(2, SIZE / 2 - 0.5), np.deg2rad(angle)
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    matrix[:2, 2] = centre + shift - matrix[:2, :2] @ centre
    back = np.linalg.inv(matrix)
    moving = ndimage.affine_transform(photograph, back[:2, :2], back[:2, 2] + OFFSET, output_shape=(SIZE, SIZE), order=3)
    fixed = photograph[OFFSET : OFFSET + SIZE, OFFSET : OFFSET + SIZE]
    return fixed.astype(np.float32), np.clip(moving, 0, 255).astype(np.float32), matrix


def distance(found, truth):
    """Return the largest error over five probe points, in pixels."""
    probes = np.array([[30, 30, 1], [30, 210, 1], [210, 30, 1], [210, 210, 1], [120, 120, 1.0]]).T
    return np.abs((found - truth) @ probes).max()


def register(*inputs, **parameters):
    return lb.apply("intensity_based_registration", *inputs, axes="yx", **parameters)


def bent(image):
    return 255 * (1 - image / 255) ** 1.7


def test_rigid_across_inverted_contrast():
    fixed, moving, truth = planted(7, (5, -4))
    result = register(fixed, bent(moving), show_checkerboard=True)
    matrix = result.transform.matrix
    assert abs(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0])) - 7) < 0.01
    assert distance(matrix, truth) < 0.07
    inside = (slice(40, -40),) * 2
    assert np.corrcoef(result.aligned[inside].ravel(), bent(fixed)[inside].ravel())[0, 1] > 0.99
    again = register(fixed, bent(moving))
    np.testing.assert_array_equal(again.transform.matrix, matrix)
    np.testing.assert_array_equal(again.aligned, result.aligned)
    assert set(result.trace["level"]) == {0, 1, 2}
    for level in range(3):
        values = result.trace["metric"][result.trace["level"] == level]
        assert values[-1] <= values[0]
    assert again.checkerboard is None
    np.testing.assert_array_equal(result.checkerboard[:30, :30], fixed[:30, :30])
    assert (result.checkerboard[:30, 30:60] != fixed[:30, 30:60]).mean() > 0.9


def test_similarity_needs_mutual_information():
    fixed, moving, truth = planted(8, (9, -7), 1.08)
    inverted = np.sqrt(255 - moving)
    assert distance(register(fixed, inverted, model="similarity", sampling=1.0).transform.matrix, truth) < 0.01
    assert distance(register(fixed, inverted, model="similarity").transform.matrix, truth) < 0.1
    assert distance(register(fixed, inverted, model="similarity", metric="mean_squares").transform.matrix, truth) > 5


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({"model": "affine", "metric": "correlation"}, 0.1),
        ({"metric": "joint_histogram"}, 0.1),
        ({"metric": "mean_squares", "sampling": 1.0}, 0.05),
        ({"optimizer": "line_search"}, 0.1),
        ({"optimizer": "gradient"}, 4.0),  # known to stop early
        ({"init": "moments", "metric": "correlation"}, 0.1),
    ],
)
def test_other_settings_find_it_too(parameters, limit):
    fixed, moving, truth = planted(3, (3, -2))
    assert distance(register(fixed, moving, **parameters).transform.matrix, truth) < limit


def test_translation_and_points_for_a_far_start():
    fixed, moving, truth = planted(0, (40, -35))
    there = np.array([[60.0, 100], [100, 160], [150, 90]])
    matching = (there, there + np.array([41.5, -36.0]))
    found = register(
        fixed, moving, None, None, *(Points(p) for p in matching), model="translation", metric="correlation"
    ).transform.matrix
    assert distance(found, truth) < 0.1
    with pytest.raises(InputError, match="points"):
        register(fixed, moving, None, None, Points(there), None)


def test_masks_leave_out_what_moved_by_itself():
    fixed, moving, truth = planted(0, (4, 3))
    spoiled = moving.copy()
    spoiled[60:200, 60:200] = fixed[60:200, 60:200]
    outside = np.ones(fixed.shape, bool)
    outside[40:220, 40:220] = False
    options = {"model": "translation", "metric": "mean_squares", "sampling": 1.0}
    assert distance(register(fixed, spoiled, **options).transform.matrix, truth) > 1
    assert distance(register(fixed, spoiled, outside, outside, **options).transform.matrix, truth) < 0.1


def test_volume_with_its_own_spacing_and_directions(rng):
    z, y, x = np.mgrid[:20, :40, :40].astype(float)
    blobs = lambda z, y, x: (  # noqa: E731
        np.exp(-(((z - 30) / 14) ** 2 + ((y - 17) / 5) ** 2 + ((x - 24) / 8) ** 2))
        + 0.7 * np.exp(-(((z - 18) / 9) ** 2 + ((y - 27) / 6) ** 2 + ((x - 13) / 4) ** 2))
    )
    fixed_grid = Geometry.of("zyx", (20, 40, 40), (3, 1, 1))
    fixed = blobs(3 * z, y, x)
    turn = np.deg2rad(6)
    world = np.eye(4)
    world[1:3, 1:3] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    world[:3, 3] = 4, -2, 3
    directions = np.eye(4)
    directions[1:3, 1:3] = [[0, -1], [1, 0]]
    moving_grid = Geometry("zyx", (30, 45, 45), directions @ Geometry.of("zyx", (30, 45, 45), (2, 1, 1), (0, -2, -43)).affine)
    places = np.indices(moving_grid.shape).reshape(3, -1)
    in_world = moving_grid.affine[:3, :3] @ places + moving_grid.affine[:3, 3:]
    back = np.linalg.inv(world)
    moving = blobs(*(back[:3, :3] @ in_world + back[:3, 3:])).reshape(moving_grid.shape)
    result = lb.apply(
        "intensity_based_registration",
        Volume(fixed, fixed_grid),
        Volume(moving, moving_grid),
        metric="correlation",
        sampling=1.0,
        shrink=(2, 1),
        sigmas=(1, 0),
    )
    corners = np.array([[6, 5, 5, 1], [50, 35, 35, 1], [30, 20, 20, 1.0]]).T
    assert np.abs((result.transform.matrix - world) @ corners).max() < 0.2
    assert result.aligned.geometry == fixed_grid
    assert np.abs(result.aligned.data - fixed)[3:-3, 6:-6, 6:-6].max() < 0.02


def test_what_cannot_be_registered_is_refused():
    fixed, moving, _ = planted(0, (0, 0))
    with pytest.raises(InputError, match="constant"):
        register(fixed, np.zeros_like(moving))
    with pytest.raises(ParameterError, match="shrink"):
        register(fixed, moving, shrink=(4, 2))
    with pytest.raises(InputError, match="axes"):
        lb.apply(
            "intensity_based_registration",
            Volume(fixed, Geometry.of("yx", fixed.shape)),
            Volume(np.ones((3, 4, 5)), Geometry.of("zyx", (3, 4, 5))),
        )
