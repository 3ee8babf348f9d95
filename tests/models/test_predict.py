"""Tiled prediction: equal to the whole, whatever the tile; smaller tiles when memory runs out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_models import random_network

from napari_lightbox.errors import InputError, MemoryForecastError
from napari_lightbox.models.card import Normalisation
from napari_lightbox.models.nets.unet_plan import UNetPlan
from napari_lightbox.models.predict import Part, Predictor, is_out_of_memory, normalised
from napari_lightbox.models.tiles import tiles

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")

PLAN = UNetPlan.of(2, 1, 3, levels=3, width=4)
TOLERANCE = 1e-5  # convolutions of different sizes round differently; the promise is 1e-4


def oracle(network: Any, image: np.ndarray) -> np.ndarray:
    """The network on the whole image at once."""
    with torch.no_grad():
        return network(torch.from_numpy(image)).softmax(1).numpy()


@pytest.mark.parametrize("core", [4, 8, 12, 40, 400])
@pytest.mark.parametrize("shape", [(61, 83), (7, 130), (3, 2)])
def test_any_tile_gives_the_whole(core: int, shape: tuple[int, int]) -> None:
    network = random_network(PLAN)
    image = np.random.default_rng(1).normal(size=(2, 1, *shape)).astype(np.float32)
    predictor = Predictor(network, PLAN)
    predictor.core = core
    np.testing.assert_allclose(predictor(image), oracle(network, image), atol=TOLERANCE)


def test_volumes_with_thick_slices() -> None:
    plan = UNetPlan.of(3, 2, 2, levels=3, width=4, spacing=(3, 1, 1))
    network = random_network(plan)
    image = np.random.default_rng(1).normal(size=(1, 2, 7, 21, 26)).astype(np.float32)
    predictor = Predictor(network, plan)
    predictor.core = 8
    np.testing.assert_allclose(predictor(image), oracle(network, image), atol=TOLERANCE)


@given(
    st.integers(1, 6), st.integers(0, 5), st.integers(1, 40), st.integers(0, 20), st.integers(1, 30), st.sampled_from([1, 2, 4])
)
def test_weights_add_up_to_one(count: int, reach: int, total: int, first: int, length: int, cell: int) -> None:
    wanted = (min(first, total - 1) * cell, min(first + length, total) * cell)
    weights = np.zeros(total * cell)
    for tile in tiles([wanted], [(0, total * cell)], [cell], [reach], count):
        ((low, high),) = tile.core
        weights[low:high] += tile.weight[0]
        assert tile.read[0][0] == max(0, low - reach * cell)
        assert tile.read[0][1] == min(total * cell, high + reach * cell)
        assert high - low <= count * cell
    inside = slice(*wanted)
    np.testing.assert_allclose(weights[inside], 1, atol=1e-6)
    weights[inside] = 0
    assert not weights.any()


def budget(network: Any, pixels: int) -> list[int]:
    """Let a network run out of memory on inputs above so many pixels, as torch reports it; returns the sizes it was given."""
    seen: list[int] = []

    def check(module: Any, inputs: Any) -> None:
        seen.append(inputs[0].numel())
        if inputs[0].numel() > pixels:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    network.register_forward_pre_hook(check)
    return seen


def test_out_of_memory_halves_the_tile_and_goes_on() -> None:
    network = random_network(PLAN)
    image = np.random.default_rng(1).normal(size=(1, 1, 200, 220)).astype(np.float32)
    expected = oracle(network, image)
    seen = budget(network, 90 * 90)
    predictor = Predictor(network, PLAN)
    predictor.core = 256
    np.testing.assert_allclose(predictor(image), expected, atol=TOLERANCE)
    assert seen[0] > 90 * 90
    assert predictor.core < (256, 256)
    failures = sum(size > 90 * 90 for size in seen)
    predictor(image)
    assert sum(size > 90 * 90 for size in seen) == failures, "the smaller tile is not remembered"


def test_no_tile_fits() -> None:
    network = random_network(PLAN)
    budget(network, 10)
    with pytest.raises(MemoryForecastError, match="not even one tile"):
        Predictor(network, PLAN)(np.zeros((1, 1, 64, 64), np.float32))


def test_other_failures_are_not_taken_for_memory() -> None:
    network = random_network(PLAN)
    network.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("mat1 and mat2 shapes")))
    with pytest.raises(RuntimeError, match="mat1"):
        Predictor(network, PLAN)(np.zeros((1, 1, 16, 16), np.float32))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("x"),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
    ],
    ids=["cuda", "python", "cpu", "mps"],
)
def test_every_way_to_run_out_of_memory(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_a_real_allocation_failure_is_recognised() -> None:
    with pytest.raises(Exception) as caught:
        torch.empty(2**60, dtype=torch.float32)
    assert is_out_of_memory(caught.value)


def test_grey_values_become_deviations_from_the_mean() -> None:
    image = np.array([[100, 160], [40, 100]], np.uint16)
    np.testing.assert_allclose(normalised(image, Normalisation((100.0,), (30.0,)), 2), [[[0, 2], [-2, 0]]])


def test_strange_values_are_tamed() -> None:
    image = np.array([[np.nan, np.inf], [-np.inf, 1e30]])
    np.testing.assert_array_equal(normalised(image, Normalisation((5.0,), (1.0,)), 2), [[[0, 20], [-20, 20]]])


def test_large_integers_keep_their_differences() -> None:
    image = np.array([[2**31 - 3, 2**31 - 1]], np.int64)
    np.testing.assert_allclose(normalised(image, Normalisation((2.0**31 - 2,), (1.0,)), 2), [[[-1, 1]]])


def test_channels_must_be_those_of_the_model() -> None:
    gray = Normalisation((0.0,), (1.0,))
    with pytest.raises(InputError, match="3 channels, the model was trained on a gray image"):
        normalised(np.zeros((4, 4, 3)), gray, 2)
    with pytest.raises(InputError, match="one channel, the model was trained on 3 channels"):
        normalised(np.zeros((4, 4)), Normalisation((0.0,) * 3, (1.0,) * 3), 2)


def test_a_part_needs_no_more_than_its_halo() -> None:
    network = random_network(PLAN)
    image = np.random.default_rng(1).normal(size=(1, 1, 150, 150)).astype(np.float32)
    whole = oracle(network, image)
    halo = PLAN.halo[0]
    for start in range(50, 58):
        box = slice(start - halo, start + 9 + halo)
        part = Part((box.start,) * 2, (150, 150), ((start, start + 9),) * 2)
        found = Predictor(network, PLAN)(image[:, :, box, box], part)
        np.testing.assert_allclose(found, whole[:, :, start : start + 9, start : start + 9], atol=TOLERANCE)
