"""The U-Net: how many weights, how far it looks, any size."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tiny_models import random_network

from napari_lightbox.errors import ParameterError
from napari_lightbox.models.nets.unet_plan import UNetPlan

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")


def count(plan: UNetPlan) -> int:
    return sum(w.numel() for w in plan.build().parameters())


def test_weights_counted_by_hand_2d() -> None:
    plan = UNetPlan(2, 1, 2, (8, 16), ((2, 2),), ((3, 3), (3, 3)))
    fine = 1 * 8 * 9 + 8 * 8 * 9 + 2 * (8 + 8)
    deep = 8 * 16 * 9 + 16 * 16 * 9 + 2 * (16 + 16)
    up = 16 * 8 * 4 + 8
    join = 16 * 8 * 9 + 8 * 8 * 9 + 2 * (8 + 8)
    head = 8 * 2 + 2
    assert count(plan) == plan.parameter_count == fine + deep + up + join + head


def test_weights_counted_by_hand_3d_without_normalisation() -> None:
    plan = UNetPlan(3, 2, 5, (4, 8, 16), ((1, 2, 2), (2, 2, 2)), ((1, 3, 3), (3, 3, 3), (3, 3, 3)), batch_norm=False)
    down = (2 * 4 * 9 + 4 + 4 * 4 * 9 + 4) + (4 * 8 * 27 + 8 + 8 * 8 * 27 + 8) + (8 * 16 * 27 + 16 + 16 * 16 * 27 + 16)
    up = (16 * 8 * 8 + 8) + (16 * 8 * 27 + 8 + 8 * 8 * 27 + 8) + (8 * 4 * 4 + 4) + (8 * 4 * 9 + 4 + 4 * 4 * 9 + 4)
    assert count(plan) == plan.parameter_count == down + up + 4 * 5 + 5


def test_the_classic_five_levels() -> None:
    """Filters 32 to 512 with two classes: 7.8 million weights, as the published network of this width."""
    plan = UNetPlan.of(2, 3, 2, levels=5, width=32)
    assert plan.filters == (32, 64, 128, 256, 512)
    assert count(plan) == plan.parameter_count == pytest.approx(7.77e6, rel=0.01)
    assert plan.cell == (16, 16)


def support(plan: UNetPlan, pixel: int, length: int) -> tuple[int, int]:
    """Return which input columns an output pixel depends on, found by automatic differentiation."""
    network = plan.build().eval()
    for pool, stride in zip(range(len(network.pool)), plan.strides, strict=True):
        network.pool[pool] = (torch.nn.AvgPool2d if plan.ndim == 2 else torch.nn.AvgPool3d)(stride)
    for weight in network.parameters():
        torch.nn.init.constant_(weight, 0.01)
    shape = (plan.cell[0],) * (plan.ndim - 1) + (length,)
    image = torch.ones(1, plan.channels, *shape, dtype=torch.float64, requires_grad=True)
    network.double()(image)[..., pixel].sum().backward()
    columns = torch.nonzero(image.grad.abs().reshape(-1, length).sum(0))
    return int(columns.min()), int(columns.max())


@pytest.mark.parametrize(
    "plan",
    [
        UNetPlan.of(2, 1, 2, levels=2, width=1, batch_norm=False),
        UNetPlan.of(2, 1, 2, levels=4, width=1, batch_norm=False),
        UNetPlan.of(2, 1, 2, levels=5, width=1, batch_norm=False),
        UNetPlan.of(3, 1, 2, levels=3, width=1, batch_norm=False),
    ],
    ids=["2 levels", "4 levels", "5 levels", "3 levels 3D"],
)
def test_halo_is_what_differentiation_finds(plan: UNetPlan) -> None:
    cell, middle = plan.cell[-1], 16 * plan.cell[-1]
    farthest = 0
    for pixel in range(cell):
        low, high = support(plan, middle + pixel, 2 * middle + cell)
        low, high = low - middle, high - middle
        farthest = max(farthest, pixel - low // cell * cell, -(-(high + 1) // cell) * cell - 1 - pixel)
    assert plan.halo[-1] == farthest


def test_five_levels_look_about_94_pixels_far() -> None:
    plan = UNetPlan.of(2, 1, 2, levels=5, width=1, batch_norm=False)
    low, high = support(plan, 16 * 16, 33 * 16)
    assert max(16 * 16 - low, high - 16 * 16) in range(88, 110)


@pytest.mark.parametrize("size", [(37, 53), (8, 9), (1, 1), (64, 31)])
def test_odd_sizes_are_edge_filled_and_cut(size: tuple[int, int]) -> None:
    network = random_network(UNetPlan.of(2, 1, 3, levels=3, width=4))
    image = np.random.default_rng(0).normal(size=(1, 1, *size)).astype(np.float32)
    padded = np.pad(image, [(0, 0), (0, 0), *[(0, -n % 4) for n in size]], mode="edge")
    with torch.no_grad():
        own = network(torch.from_numpy(image)).numpy()
        oracle = network(torch.from_numpy(padded)).numpy()[..., : size[0], : size[1]]
    assert own.shape == (1, 3, *size)
    np.testing.assert_array_equal(own, oracle)


def test_thick_slices_are_neither_pooled_nor_looked_along_at_first() -> None:
    plan = UNetPlan.of(3, 1, 2, levels=4, width=4, spacing=(5.0, 1.0, 1.0))
    assert plan.strides == ((1, 2, 2), (1, 2, 2), (2, 2, 2))
    assert plan.kernels == ((1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3))
    assert plan.cell == (2, 8, 8)


def test_dropout_sits_on_the_two_deepest_levels_alone() -> None:
    network = UNetPlan.of(2, 1, 2, levels=4, width=4, dropout=0.3).build()
    with_dropout = [any(isinstance(m, torch.nn.Dropout) for m in block.modules()) for block in network.down]
    assert with_dropout == [False, False, True, True]


@pytest.mark.parametrize("wrong", [{"levels": 1}, {"levels": 7}, {"width": 0}, {"dropout": 1.0}])
def test_impossible_networks_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        UNetPlan.of(2, 1, 2, **wrong)  # type: ignore[arg-type]
