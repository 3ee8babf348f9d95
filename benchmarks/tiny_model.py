"""A small U-Net with random weights, for timing what surrounds it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path


@cache
def tiny_model(ndim: int) -> str:
    """Return the folder of a model for colour images with two levels, written once."""
    import torch
    from safetensors.torch import save_file

    from napari_lightbox.models.cache import save_model
    from napari_lightbox.models.card import ModelCard, ModelClass, Normalisation
    from napari_lightbox.models.nets.unet_plan import UNetPlan

    torch.manual_seed(0)
    plan = UNetPlan.of(ndim, 3, 2, levels=2, width=4)
    weights = plan.build().eval().state_dict()
    card = ModelCard(
        name="tiny",
        task="semantic segmentation",
        architecture=plan,
        classes=(ModelClass(0, "background"), ModelClass(1, "object")),
        axes="zyx"[3 - ndim :],
        spacing=(1.0,) * ndim,
        units=("pixel",) * ndim,
        normalisation=Normalisation((500.0,) * 3, (300.0,) * 3),
        files=(),
        licence="CC0-1.0",
        origin="the benchmarks",
    )
    folder = Path(tempfile.mkdtemp(prefix="lightbox-model-"))
    save_model(folder / "tiny", card, lambda path: save_file(weights, str(path)))
    return str(folder / "tiny")
