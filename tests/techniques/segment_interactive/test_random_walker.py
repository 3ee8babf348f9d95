"""Random walker: the same system as scikit-image, analytic ramps, planted objects, all solvers."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import random_walker as skimage_walker

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError
from napari_lightbox.techniques.segment_interactive.random_walker import random_walker

MODES = ["cg_mg", "cg_j", "cg", "bf"]


def halves(n=100, noise=0.35, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.ones((n, n), np.int32)
    truth[:, n // 2 :] = 2
    seeds = np.zeros_like(truth)
    middle = slice(n // 2 - 5, n // 2 + 5)
    seeds[middle, n // 4 : n // 4 + 10], seeds[middle, 3 * n // 4 : 3 * n // 4 + 10] = 1, 2
    return truth - 1 + rng.normal(0, noise, truth.shape), seeds, truth


def three_regions(shape, seed=1):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    image = smooth / smooth.std() + rng.normal(0, 0.2, shape)
    return image, np.where(rng.random(shape) < 0.01, rng.integers(1, 4, shape), 0).astype(np.int32)


def exact(image, seeds, **parameters):
    return skimage_walker(image, seeds, mode="bf", **parameters)


@pytest.mark.parametrize(("shape", "spacing"), [((45, 51), (1.0, 1.0)), ((45, 51), (2.5, 0.8)), ((9, 14, 16), (3.0, 1.0, 1.0))])
@pytest.mark.parametrize("beta", [10.0, 130.0])
def test_exact_mode_equals_scikit_image_and_its_probabilities(shape, spacing, beta):
    image, seeds = three_regions(shape)
    found = random_walker(image, seeds, beta=beta, mode="bf", full_prob=True, spacing=spacing)
    relative = np.array(spacing) / min(spacing)
    expected = exact(image, seeds, beta=beta, spacing=relative, return_full_prob=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-5)  # float32 output, weights of 1e-10
    assert (found.labels == expected.argmax(axis=0) + 1).mean() > 0.9995  # pixels that two ids share evenly
    np.testing.assert_array_equal(found.labels, np.argmax(found.probabilities, axis=0) + 1)


@pytest.mark.parametrize("mode", ["cg_mg", "cg_j", "cg"])
@pytest.mark.parametrize("shape", [(45, 51), (9, 14, 16)])
def test_iterations_converge_to_the_exact_solution(mode, shape):
    image, seeds = three_regions(shape, 2)
    found = random_walker(image, seeds, beta=50.0, mode=mode, tol=1e-9, full_prob=True)
    reference = random_walker(image, seeds, beta=50.0, mode="bf", full_prob=True)
    np.testing.assert_allclose(found.probabilities, reference.probabilities, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_labels_agree_with_scikit_image_at_the_default_tolerance(mode):
    image, seeds, truth = halves()
    found = random_walker(image, seeds, beta=130.0, mode=mode).labels
    assert (found == exact(image, seeds, beta=130)).mean() > 0.999
    assert (found == skimage_walker(image, seeds, beta=130, tol=1e-3)).mean() > 0.995
    assert (found == truth).mean() > 0.99
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])


def test_noisy_halves_beat_any_threshold():
    rng = np.random.default_rng(3)
    truth = np.ones((64, 64), np.int32)
    truth[:, 32:] = 2
    image = truth - 1 + rng.normal(0, 0.35, truth.shape)
    seeds = np.zeros_like(truth)
    seeds[4:60, 4:14], seeds[4:60, 50:60] = 1, 2
    assert (random_walker(image, seeds, beta=10.0).labels == truth).mean() > 0.99
    assert ((image > 0.5) + 1 == truth).mean() < 0.94


def test_a_noisy_ellipsoid_with_thick_slices():
    rng = np.random.default_rng(4)
    z, y, x = np.indices((12, 36, 36)) * np.reshape((3.0, 1.0, 1.0), (3, 1, 1, 1)) - 18.0
    body = (z / 12) ** 2 + (y / 14) ** 2 + (x / 10) ** 2 < 1
    image = body + rng.normal(0, 0.1, body.shape)
    seeds = np.zeros(body.shape, np.int32)
    seeds[5:8, 15:22, 15:22], seeds[:, :2], seeds[:, -2:], seeds[0], seeds[-1] = 2, 1, 1, 1, 1
    found = random_walker(image, seeds, beta=130.0, spacing=(3.0, 1.0, 1.0)).labels == 2
    assert 2 * (found & body).sum() / (found.sum() + body.sum()) > 0.9


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 21), (21, 1), (21, 1, 1), (4, 3, 21)])
def test_a_constant_image_gives_a_linear_ramp(mode, shape):
    seeds = np.zeros(shape, np.int32)
    axis = int(np.argmax(shape))
    ends = [slice(None)] * len(shape)
    ends[axis] = 0
    seeds[tuple(ends)] = 1
    ends[axis] = -1
    seeds[tuple(ends)] = 2
    found = random_walker(np.full(shape, 7, np.uint8), seeds, mode=mode, tol=1e-10, full_prob=True)
    ramp = np.moveaxis(np.broadcast_to(np.linspace(0, 1, 21), np.moveaxis(seeds, axis, -1).shape), -1, axis)
    np.testing.assert_allclose(found.probabilities[1], ramp, atol=1e-6)


def test_bytes_scale_like_scikit_image():
    image, seeds = three_regions((30, 31), 5)
    integers = (image * 20 + 90).clip(0, 255).astype(np.uint8)
    assert (random_walker(integers, seeds, mode="bf").labels == exact(integers, seeds)).mean() > 0.999


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
def test_wide_integers_scale_by_their_own_span(dtype):
    image, seeds = three_regions((30, 31), 5)
    integers = (image * 20 + 90).clip(0, 255).astype(dtype)
    span = float(integers.max()) - float(integers.min())
    np.testing.assert_array_equal(
        random_walker(integers, seeds, mode="bf").labels, random_walker(integers, seeds, intensity_range=span, mode="bf").labels
    )
    assert (random_walker(integers, seeds, mode="bf").labels == exact(integers / span, seeds)).mean() > 0.999
    np.testing.assert_array_equal(
        random_walker(integers * 10, seeds, mode="bf").labels, random_walker(integers, seeds, mode="bf").labels
    )


def test_floats_far_beyond_one_scale_like_the_integers_they_came_from():
    image, seeds = three_regions((30, 31), 5)
    integers = (image * 20 + 90).clip(0, 255).astype(np.int16)
    as_integers = random_walker(integers, seeds, mode="bf").labels
    np.testing.assert_array_equal(random_walker(integers.astype(np.float32), seeds, mode="bf").labels, as_integers)
    holed = integers.astype(np.float64)
    holed[0, 0], seeds[0, 0] = np.inf, 0
    found = random_walker(holed, seeds, mode="bf").labels
    assert found[0, 0] == 0
    assert (found == as_integers).mean() > 0.99


def test_the_unit_of_length_changes_nothing():
    image, seeds = three_regions((9, 14, 16), 5)
    millimetres = random_walker(image, seeds, mode="bf", spacing=(5.0, 2.5, 2.5)).labels
    metres = random_walker(image, seeds, mode="bf", spacing=(5e-3, 2.5e-3, 2.5e-3)).labels
    np.testing.assert_array_equal(millimetres, metres)


def test_colour_equals_scikit_image():
    rng = np.random.default_rng(6)
    image, seeds = rng.random((24, 25, 3)), three_regions((24, 25))[1]
    assert (random_walker(image, seeds, mode="bf").labels == exact(image, seeds, channel_axis=-1)).mean() > 0.999


def test_excluded_pixels_and_parts_out_of_reach_are_zero():
    image, seeds = three_regions((30, 40), 7)
    seeds[:, :15] = 0
    seeds[4, 3], seeds[:, 14], seeds[20:25, 30:33] = 1, -1, -1
    found = random_walker(image, seeds, mode="bf", full_prob=True)
    expected = np.maximum(exact(image, seeds), 0)
    assert (found.labels == expected).mean() > 0.999
    np.testing.assert_array_equal(found.labels == 0, seeds < 0)
    np.testing.assert_allclose(found.probabilities.sum(axis=0), found.labels > 0, atol=1e-6)
    seeds[4, 3] = 0
    assert (random_walker(image, seeds).labels[:, :15] == 0).all()
    mask = np.ones(image.shape, bool)
    mask[:, :20] = False
    assert (random_walker(image, seeds, mask).labels[:, :20] == 0).all()


def test_missing_values_take_no_part():
    image, seeds = three_regions((20, 22), 8)
    image[5:8, 5:8], seeds[5:8, 5:8] = np.nan, 0
    labels = random_walker(image, seeds).labels
    np.testing.assert_array_equal(labels == 0, np.isnan(image))


def test_ids_need_not_be_consecutive():
    image, seeds, _ = halves(40)
    wide = np.where(seeds == 2, 5_000_000_000, seeds).astype(np.int64)
    found = random_walker(image, wide, full_prob=True)
    assert found.labels.dtype == np.int64
    np.testing.assert_array_equal(found.labels > 1, random_walker(image, seeds).labels == 2)
    assert found.probabilities.shape == (2, 40, 40)


def test_too_few_ids_are_refused():
    image = np.zeros((6, 6))
    seeds = np.zeros(image.shape, np.int32)
    with pytest.raises(InputError, match="no painted pixel"):
        random_walker(image, seeds)
    seeds[0, 0] = 1
    with pytest.raises(InputError, match="background with another"):
        random_walker(image, seeds)


def test_islands_behind_the_strongest_edges_still_converge():
    image = np.zeros((40, 40))
    image[10:20, 10:20] = 1.0
    seeds = np.zeros(image.shape, np.int32)
    seeds[0, 0], seeds[39, 39] = 1, 2
    found = random_walker(image, seeds, beta=1e5, tol=1e-6, full_prob=True)
    assert np.isfinite(found.probabilities).all()
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-6)


def test_lazy_equals_eager_and_only_asked_outputs_come():
    image, seeds, _ = halves(32)
    eager = apply(random_walker.technique, image, seeds, axes="yx", full_prob=True)
    lazy = apply(random_walker.technique, da.from_array(image, chunks=(9, 32)), seeds, axes="yx", full_prob=True)
    np.testing.assert_array_equal(np.asarray(lazy.labels), eager.labels)
    np.testing.assert_array_equal(np.asarray(lazy.probabilities), eager.probabilities)
    assert apply(random_walker.technique, image, seeds, axes="yx").probabilities is None
