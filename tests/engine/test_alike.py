"""Calls like an earlier one take a shorter way and give the same."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_lightbox as lb
from napari_lightbox.axes import Geometry
from napari_lightbox.engine import alike
from napari_lightbox.errors import LightboxError, MemoryForecastError, ParameterError
from napari_lightbox.settings import override
from napari_lightbox.testing.compare import as_outputs, assert_same


@pytest.fixture(autouse=True)
def _nothing_known():
    alike._known.clear()


CALLS = st.tuples(
    st.sampled_from(["gaussian_blur", "median_filter", "threshold_otsu", "flip", "connected_components", "invert_intensity"]),
    st.sampled_from(
        [("yx", (9, 11)), ("zyx", (4, 9, 11)), ("tyx", (4, 9, 11)), ("yxc", (9, 11, 3)), (None, (9, 11)), ("xy", (9, 11))]
    ),
    st.sampled_from(["uint8", "uint16", "float32", ">u2", "bool"]),
    st.sampled_from([None, "yx"]),
)


def outcome(call: tuple[Any, ...], seed: int) -> Any:
    technique, (axes, shape), dtype, over = call
    data = (np.random.default_rng(seed).random(shape) * 9).astype(dtype)
    try:
        return lb.apply(technique, data, axes=axes, over=over)
    except LightboxError as error:
        return str(error)


@given(st.lists(CALLS, min_size=1, max_size=4), st.data())
def test_any_order_of_calls_gives_what_a_first_call_gives(calls: list[tuple[Any, ...]], data: st.DataObject) -> None:
    alike._known.clear()
    order = data.draw(st.lists(st.sampled_from(calls), min_size=2, max_size=8))
    mixed = [outcome(call, seed) for seed, call in enumerate(order)]
    for seed, (call, found) in enumerate(zip(order, mixed, strict=True)):
        alike._known.clear()
        expected = outcome(call, seed)
        if isinstance(expected, str):
            assert found == expected
        else:
            for one, other in zip(as_outputs(found), as_outputs(expected), strict=True):
                assert_same(one, other, call[0])


def test_equal_numbers_of_other_types_are_other_calls() -> None:
    image = np.eye(9, dtype=np.float32)
    lb.apply("gaussian_blur", image, sigma=1, axes="yx")
    with pytest.raises(ParameterError):
        lb.apply("gaussian_blur", image, sigma=True, axes="yx")


def test_the_second_call_binds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    first = lb.apply("gaussian_blur", image, sigma=1.5, axes="yx")
    monkeypatch.setattr("napari_lightbox.engine.apply.bind", None)
    np.testing.assert_array_equal(lb.apply("gaussian_blur", image, sigma=1.5, axes="yx"), first)
    np.testing.assert_array_equal(lb.apply("gaussian_blur", image[::-1], sigma=1.5, axes="yx"), first[::-1])
    with pytest.raises(TypeError):
        lb.apply("gaussian_blur", image, sigma=2.5, axes="yx")


def test_the_second_call_works_out_no_geometry(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    first, points = lb.apply("flip", image, axes="yx")
    assert points is None
    monkeypatch.setattr(Geometry, "__post_init__", None)
    np.testing.assert_array_equal(lb.apply("flip", image[::-1], axes="yx").image, first[::-1])


def test_no_pixel_is_kept() -> None:
    image = np.zeros((30, 40), np.uint8)
    seen = weakref.ref(image)
    lb.apply("marker_controlled_watershed", image, np.arange(1200, dtype=np.int32).reshape(30, 40) // 600 + 1, axes="yx")
    lb.apply("histogram_equalization", image, axes="yx")
    del image
    gc.collect()
    assert seen() is None


def test_the_memory_budget_counts_for_every_call() -> None:
    image = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    lb.apply("distance_transform", image > 0.5, axes="yx")
    with override(memory_budget=2**20), pytest.raises(MemoryForecastError):
        lb.apply("distance_transform", image > 0.5, axes="yx")


def test_the_input_stays_read_only_for_techniques() -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    before = image.copy()
    for _ in range(3):
        lb.apply("median_filter", image, axes="yx")
    np.testing.assert_array_equal(image, before)
    assert image.flags.writeable


@pytest.mark.parametrize(
    ("technique", "axes", "shape", "straight"),
    [
        ("gaussian_blur", "yx", (9, 11), True),
        ("gaussian_blur", "zyx", (4, 9, 11), True),
        ("crop", "yx", (9, 11), False),
        ("gaussian_blur", "xy", (9, 11), False),
        ("gaussian_blur", "tyx", (3, 9, 11), False),
        ("threshold_otsu", "yx", (9, 11), False),
        ("region_properties", "yx", (9, 11), False),
    ],
)
def test_only_calls_around_whose_kernel_nothing_happens_go_straight_to_it(
    technique: str, axes: str, shape: tuple[int, ...], straight: bool
) -> None:
    lb.apply(technique, (np.indices(shape).sum(0) % 3).astype(np.uint8), axes=axes)
    remembered = [direct for _, _, direct in alike._known._values.values()]
    assert [direct is not None for direct in remembered] in ([straight], [])
    assert remembered or not straight


def test_the_straight_way_keeps_the_input_safe_and_casts_the_result() -> None:
    labels = np.eye(9, dtype=np.int64)
    for _ in range(2):
        grown = lb.apply("morphological_dilation", labels, axes="yx")
        assert grown.dtype == np.int64
        assert grown is not labels
    assert labels.sum() == 9
    assert labels.flags.writeable
