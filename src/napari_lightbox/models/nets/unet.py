"""The U-Net module in 2D and 3D: two convolutions per level, skips by concatenation, sizes of any parity."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_lightbox.models.nets.unet_plan import UNetPlan

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_UP = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}


class UNet(nn.Module):  # type: ignore[misc]
    """Encoder and decoder with skips; returns one logit per class at the size of the input.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, 2015,
    doi:10.1007/978-3-319-24574-4_28. Cicek et al.: 3D U-Net, 2016, doi:10.1007/978-3-319-46723-8_49.
    """

    def __init__(self, plan: UNetPlan) -> None:
        super().__init__()
        self.cell = plan.cell
        widths = plan.filters
        deepest = (plan.levels - 2, plan.levels - 1)
        entering = (plan.channels, *widths)
        self.down = nn.ModuleList(
            _block(plan, level, entering[level], dropout=plan.dropout if level in deepest else 0.0)
            for level in range(plan.levels)
        )
        self.pool = nn.ModuleList(_POOL[plan.ndim](s) for s in plan.strides)
        self.rise = nn.ModuleList(
            _UP[plan.ndim](wide, narrow, s, s) for (narrow, wide), s in zip(pairwise(widths), plan.strides, strict=True)
        )
        self.up = nn.ModuleList(_block(plan, level, 2 * widths[level]) for level in range(plan.levels - 1))
        self.head = _CONV[plan.ndim](widths[0], plan.classes, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (batch, class, ...) for images (batch, channel, ...); odd sizes are filled up at their far ends."""
        size = image.shape[2:]
        missing = [-n % cell for n, cell in zip(size, self.cell, strict=True)]
        if any(missing):
            image = nn.functional.pad(image, [n for m in reversed(missing) for n in (0, m)], mode="replicate")
        logits = self._pass(image)
        return logits[(slice(None), slice(None), *(slice(0, n) for n in size))] if any(missing) else logits

    def _pass(self, features: Tensor) -> Tensor:
        kept = []
        for block, pool in zip(self.down, self.pool, strict=False):
            features = block(features)
            kept.append(features)
            features = pool(features)
        features = self.down[-1](features)
        for rise, block in zip(reversed(self.rise), reversed(self.up), strict=True):
            features = block(torch.cat([kept.pop(), rise(features)], 1))
        return self.head(features)


def _block(plan: UNetPlan, level: int, entering: int, dropout: float = 0.0) -> nn.Sequential:
    width, kernel = plan.filters[level], plan.kernels[level]
    layers: list[Any] = []
    for channels in (entering, width):
        layers.append(_CONV[plan.ndim](channels, width, kernel, padding=[k // 2 for k in kernel], bias=not plan.batch_norm))
        if plan.batch_norm:
            layers.append(_NORM[plan.ndim](width))
        layers.append(nn.ReLU(inplace=True))
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
