"""Small U-Nets with random weights, saved as real models."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_lightbox.models.cache import save_model
from napari_lightbox.models.card import ModelCard, ModelClass, Normalisation
from napari_lightbox.models.nets.unet_plan import UNetPlan


def random_network(plan: UNetPlan, seed: int = 0) -> Any:
    """Return a network in evaluation mode whose normalisation layers do something."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")
    torch.manual_seed(seed)
    network = plan.build().eval()
    for module in network.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    return network


def save_tiny(
    folder: Path,
    ndim: int = 2,
    *,
    channels: int = 1,
    levels: int = 2,
    ids: tuple[int, ...] = (0, 1, 2),
    plan: UNetPlan | None = None,
    normalisation: Normalisation | None = None,
) -> Path:
    """Write a model with random weights and return its folder."""
    pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")
    from safetensors.torch import save_file

    plan = plan or UNetPlan.of(ndim, channels, len(ids), levels=levels, width=4)
    network = random_network(plan)
    card = ModelCard(
        name="tiny",
        task="semantic segmentation",
        architecture=plan,
        classes=tuple(ModelClass(i, f"class {i}") for i in ids),
        axes="zyx"[3 - plan.ndim :],
        spacing=(1.0,) * plan.ndim,
        units=("pixel",) * plan.ndim,
        normalisation=normalisation or Normalisation((500.0,) * channels, (300.0,) * channels),
        files=(),
        licence="CC0-1.0",
        origin="the tests",
    )
    save_model(folder, card, lambda path: save_file(network.state_dict(), str(path)))
    return folder


@cache
def shared_tiny(ndim: int) -> str:
    """Return a tiny model for the whole test run."""
    return str(save_tiny(Path(tempfile.mkdtemp(prefix="lightbox-tiny-")) / "tiny", ndim))


def image_and_model(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """Return an image with a model of as many axes."""
    from napari_lightbox.testing.examples import blobs

    return blobs(rng, shape, dtype), shared_tiny(len(shape))
