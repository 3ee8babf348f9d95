"""Vary patches at random: mirror, rotate, bend, change brightness and contrast."""

from __future__ import annotations

from collections.abc import Sequence
from math import radians
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from napari_lightbox.models.train.settings import TrainSettings

_THICK = 1.5
_COARSE = 5


class Augment:
    """Varies batches; labels move with their image, and what comes from outside the patch is ignored.

    Parameters
    ----------
    options
        Which variations, and how strong.
    spacing
        Distance between samples per axis: turns are those of the body, not of the grid.
    """

    def __init__(self, options: TrainSettings, spacing: Sequence[float]) -> None:
        self.options = options
        self.spacing = torch.tensor(list(spacing), dtype=torch.float32)
        self.generator = torch.Generator().manual_seed(options.seed)

    def __call__(self, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Return varied images (patch, channel, ...) and class numbers (patch, ...)."""
        if self.options.flips:
            images, classes = self._mirrored(images, classes)
        if self.options.rotation or self.options.elastic:
            images, classes = self._bent(images, classes)
        if self.options.intensity:
            images = self._lit(images)
        return images, classes

    def _uniform(self, *shape: int, low: float = -1.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self.generator)

    def _mirrored(self, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        ndim = images.ndim - 2
        turns = torch.rand(len(images), ndim, generator=self.generator) < 0.5
        pairs = []
        for image, labels, turn in zip(images, classes, turns, strict=True):
            axes = [a for a in range(ndim) if turn[a]]
            pairs.append((image.flip([a + 1 for a in axes]), labels.flip(axes)))
        return torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs])

    def _bent(self, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        count, ndim, size = len(images), images.ndim - 2, images.shape[2:]
        half = torch.tensor([(n - 1) / 2 for n in size]) * self.spacing
        points = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, n) for n in size], indexing="ij"), -1) * half
        moved = torch.einsum("nij,...j->n...i", self._rotations(count, ndim), points)
        if self.options.elastic:
            moved = moved + self._waves(count, size) * self.spacing
        grid = (moved / half.clamp(min=1e-6)).flip(-1)
        image = functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)
        # one is added so that the zeros that come from outside become "ignored"
        labels = (classes + 1).to(torch.float32).unsqueeze(1)
        labels = functional.grid_sample(labels, grid, mode="nearest", padding_mode="zeros", align_corners=True)
        return image, labels.squeeze(1).round().long() - 1

    def _rotations(self, count: int, ndim: int) -> Tensor:
        """Return rotations: about z alone where slices are thick, since nothing is known between them."""
        largest = radians(self.options.rotation)
        flat = ndim == 2 or bool(self.spacing[0] > _THICK * self.spacing[1:].min())
        planes = [(ndim - 2, ndim - 1)] if flat else [(1, 2), (0, 2), (0, 1)]
        whole = torch.eye(ndim).repeat(count, 1, 1)
        for one, other in planes:
            angle = self._uniform(count) * largest
            turn = torch.eye(ndim).repeat(count, 1, 1)
            turn[:, one, one] = turn[:, other, other] = angle.cos()
            turn[:, one, other], turn[:, other, one] = -angle.sin(), angle.sin()
            whole = whole @ turn
        return whole * self._uniform(count, 1, 1, low=0.9, high=1.1)

    def _waves(self, count: int, size: Sequence[int]) -> Tensor:
        """Return smooth displacements in pixels (patch, ..., axis)."""
        ndim = len(size)
        coarse = self._uniform(count, ndim, *[min(_COARSE, n) for n in size]) * self.options.elastic
        fine = functional.interpolate(coarse, tuple(size), mode="bicubic" if ndim == 2 else "trilinear", align_corners=True)
        return fine.movedim(1, -1)

    def _lit(self, images: Tensor) -> Tensor:
        shape = (*images.shape[:2], *(1,) * (images.ndim - 2))
        strength = self.options.intensity
        brighter = images * (1 + strength * self._uniform(*shape)) + strength * self._uniform(*shape)
        grain = torch.randn(images.shape, generator=self.generator)
        return brighter + grain * (0.5 * strength * self._uniform(*shape, low=0.0))
