"""Features of pixels against scipy and NumPy, and the same bits from every cut."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels import field_cache
from napari_lightbox.kernels.pixel_features import GROUPS, FeatureSet, make_fields
from napari_lightbox.kernels.pixel_rows_compiled import features_at


def taken(
    image: np.ndarray, features: FeatureSet, spacing: tuple[float, ...], box: tuple[slice, ...] | None = None
) -> np.ndarray:
    """Features (feature, box) by way of single pixels."""
    box = box or tuple(slice(0, n) for n in image.shape[: features.ndim])
    fields = make_fields(image, box, features, spacing)
    shape = tuple(s.stop - s.start for s in box)
    places = np.zeros((int(np.prod(shape)), 3), np.int64)
    places[:, 3 - len(shape) :] = np.stack(np.unravel_index(np.arange(len(places)), shape), axis=1)
    out = np.empty((len(places), fields.features), np.float32)
    features_at(fields.data, fields.program, fields.factors, fields.flat, places, out, 0, len(places))
    return np.ascontiguousarray(out.T).reshape(-1, *shape)


def blurred(image: np.ndarray, sigma: float, steps: tuple[float, ...]) -> np.ndarray:
    result = image.astype(np.float64)
    for axis, step in enumerate(steps):
        own = sigma / step
        result = ndimage.gaussian_filter1d(result, own, axis, radius=max(int(np.ceil(4 * own)) - 1, 0))
    return result


def second(field: np.ndarray, a: int, b: int, steps: tuple[float, ...]) -> np.ndarray:
    padded = np.pad(field, 1, mode="symmetric")

    def at(*moves: tuple[int, int]) -> np.ndarray:
        shift = [0] * field.ndim
        for axis, by in moves:
            shift[axis] += by
        return padded[tuple(slice(1 + s, 1 + s + n) for s, n in zip(shift, field.shape, strict=True))]

    if a == b:
        return (at((a, 1)) + at((a, -1)) - 2 * field) / steps[a] ** 2
    mixed = at((a, 1), (b, 1)) - at((a, 1), (b, -1)) - at((a, -1), (b, 1)) + at((a, -1), (b, -1))
    return mixed / (4 * steps[a] * steps[b])


def eigenvalues(parts: dict[tuple[int, int], np.ndarray], ndim: int) -> list[np.ndarray]:
    matrix = np.stack([np.stack([parts[min(a, b), max(a, b)] for b in range(ndim)], -1) for a in range(ndim)], -1)
    return list(np.moveaxis(np.linalg.eigvalsh(matrix)[..., ::-1], -1, 0))


def reference(image: np.ndarray, sigmas: tuple[float, ...], steps: tuple[float, ...]) -> list[np.ndarray]:
    """Every feature in the order of GROUPS, from scipy in double precision."""
    ndim = image.ndim
    pairs = [(a, b) for a, b in product(range(ndim), repeat=2) if a <= b]
    finer = image.astype(np.float64)
    slopes = [ndimage.correlate1d(finer, [-0.5 / s, 0, 0.5 / s], axis=a) for a, s in enumerate(steps)]
    found = [finer]
    for sigma in sigmas:
        field = blurred(image, sigma, steps)
        sobel = [ndimage.sobel(field, axis=a) / (2 * 4 ** (ndim - 1) * s) for a, s in enumerate(steps)]
        hessian = {pair: second(field, *pair, steps) for pair in pairs}
        tensor = {(a, b): blurred(slopes[a] * slopes[b], sigma, steps) for a, b in pairs}
        found += [field, np.sqrt(sum(s**2 for s in sobel)), sum(hessian[a, a] for a in range(ndim)), finer - field]
        found += eigenvalues(hessian, ndim) + eigenvalues(tensor, ndim)
        finer = field
    return found


@pytest.mark.parametrize(("shape", "spacing"), [((31, 40), (1.0, 1.0)), ((31, 40), (2.0, 1.0)), ((9, 20, 22), (2.5, 1.0, 0.5))])
@pytest.mark.parametrize("unit", ["px", "physical"])
def test_every_feature_equals_scipy(shape: tuple[int, ...], spacing: tuple[float, ...], unit: str) -> None:
    image = np.random.default_rng(0).normal(100, 20, shape)
    features = FeatureSet(GROUPS, (0.8, 1.7), unit, len(shape), 1)
    finest = min(spacing) if unit == "px" else 1
    expected = reference(image, (0.8, 1.7), tuple(s / finest for s in spacing))
    found = taken(image, features, spacing)
    assert len(found) == len(expected) == len(features.names)
    for name, one, other in zip(features.names, found, expected, strict=True):
        # worked out in double precision, kept in single
        np.testing.assert_allclose(one, other, rtol=2e-7, atol=2e-7 * max(np.abs(other).max(), 1), err_msg=name)
    for name, one, other in zip(features.names, taken(image.astype(np.float32), features, spacing), found, strict=True):
        # second differences of grey values around 100 over the finest step lose about three digits
        np.testing.assert_allclose(one, other, atol=2e-4 * np.abs(other).max(), err_msg=name)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_part_has_the_bits_of_the_whole(data: st.DataObject) -> None:
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = tuple(data.draw(st.integers(1, {2: 60, 3: 24}[ndim])) for _ in range(ndim))
    spacing = data.draw(st.sampled_from([(1.0,) * ndim, (2.0, 1.0, 1.0)[-ndim:], (0.7, 1.3, 1.1)[-ndim:]]))
    kind = data.draw(st.sampled_from(["uint8", "float32", "float64"]))
    image = np.random.default_rng(1).normal(100, 20, shape).astype(kind)
    features = FeatureSet(GROUPS, (1.0, 2.3), "px", ndim, 1)
    corner = [data.draw(st.integers(0, n - 1)) for n in shape]
    box = tuple(slice(c, data.draw(st.integers(c + 1, n))) for c, n in zip(corner, shape, strict=True))
    around = tuple(
        slice(max(s.start - r, 0), min(s.stop + r, n)) for s, r, n in zip(box, features.radius(spacing), shape, strict=True)
    )
    inside = tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(box, around, strict=True))
    whole = taken(image, features, spacing)[(slice(None), *box)]
    np.testing.assert_array_equal(taken(image[around], features, spacing, inside), whole)


def test_radius_is_four_sigma_rounded_up() -> None:
    assert FeatureSet(GROUPS, (1.0, 3.3), "px", 2, 1).radius((1.0, 1.0)) == (14, 14)
    assert FeatureSet(GROUPS, (4.0,), "px", 3, 1).radius((5.0, 1.0, 1.0)) == (4, 16, 16)
    assert FeatureSet(GROUPS, (4.0,), "physical", 3, 1).radius((5.0, 0.5, 0.5)) == (4, 32, 32)
    assert FeatureSet(("intensity",), (4.0,), "px", 2, 1).radius((1.0, 1.0)) == (0, 0)


def test_colours_and_values_that_are_not_finite() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 255, (12, 13, 3)).astype(np.uint8)
    chroma = taken(image, FeatureSet(("intensity",), (), "px", 2, 3, "CbCr"), (1.0, 1.0))
    from skimage.color import rgb2ycbcr

    # ITU-R BT.601 in its studio range; ours is the full one
    expected = (np.moveaxis(rgb2ycbcr(image), -1, 0)[1:] - 128) * 255 / 224
    np.testing.assert_allclose(chroma, expected, atol=0.02)
    each = taken(image, FeatureSet(GROUPS, (1.0,), "px", 2, 3), (1.0, 1.0))
    green = taken(image[..., 1], FeatureSet(GROUPS, (1.0,), "px", 2, 1), (1.0, 1.0))
    np.testing.assert_array_equal(each[len(green) : 2 * len(green)], green)
    holed = image[..., 0].astype(np.float32)
    holed[3, 4], holed[7, 8] = np.nan, np.inf
    filled = np.where(np.isfinite(holed), holed, 0)
    one = FeatureSet(GROUPS, (1.0,), "px", 2, 1)
    np.testing.assert_array_equal(taken(holed, one, (1.0, 1.0)), taken(filled, one, (1.0, 1.0)))
    assert np.isfinite(taken(np.full((9, 9), 3e38, np.float32), one, (1.0, 1.0))).all()
    assert np.isfinite(taken(filled.astype(np.float64) * 1e300, one, (1.0, 1.0))).all()


def test_choices_that_make_no_sense_are_refused() -> None:
    for groups, sigmas in (
        ((), (1.0,)),
        (("gaussian",), ()),
        (("gaussian",), (2.0, 1.0)),
        (("gaussian",), (0.0,)),
        (("edge",), (1.0,)),
    ):
        with pytest.raises(ParameterError):
            FeatureSet(groups, sigmas, "px", 2, 1)
    with pytest.raises(InputError, match="needs red, green and blue"):
        FeatureSet(GROUPS, (1.0,), "px", 2, 4, "YCbCr")


def test_cache_finds_the_same_pixels_again_and_keeps_within_its_room() -> None:
    from napari_lightbox.settings import override

    features = FeatureSet(GROUPS, (1.0,), "px", 2, 1)
    image = np.random.default_rng(3).random((64, 64)).astype(np.float32)
    box = (slice(10, 50), slice(10, 50))
    cache = field_cache.cache
    cache.clear()
    first = field_cache.cached_fields(image, box, features, (1.0, 1.0))
    assert field_cache.cached_fields(image.copy(), box, features, (1.0, 1.0)) is first
    elsewhere = np.pad(image, 30)
    moved = tuple(slice(s.start + 30, s.stop + 30) for s in box)
    assert field_cache.cached_fields(elsewhere, moved, features, (1.0, 1.0)) is first
    changed = image.copy()
    changed[20, 20] += 1
    assert field_cache.cached_fields(changed, box, features, (1.0, 1.0)) is not first
    assert field_cache.cached_fields(image, box, features, (2.0, 1.0)) is not first
    with override(memory_budget=2**20):
        for shift in range(20):
            field_cache.cached_fields(image + shift, (slice(0, 20), slice(0, 20)), features, (1.0, 1.0))
            assert cache.nbytes <= 2**20 * field_cache.SHARE
    cache.clear()
