"""What a U-Net looks like, without torch: sizes, parameter count, and how far an output pixel looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from napari_lightbox.errors import ParameterError

LEVELS = (2, 6)
_WIDEST = 2048
_MOST = 1024
_THICK = 2.0


@dataclass(frozen=True)
class UNetPlan:
    """Shape of a U-Net; everything else follows from it.

    Parameters
    ----------
    ndim
        2 or 3 spatial axes.
    channels, classes
        Channels of the image and classes of the labels.
    filters
        Filters of every level, the finest first.
    strides
        Reduction per axis from each level to the next: 2, or 1 along axes that are not pooled.
    kernels
        Kernel size per axis of every level: 3, or 1 along axes that are too thick to look along.
    dropout
        Share of features dropped on the two deepest levels while training.
    batch_norm
        Whether every convolution is followed by batch normalisation.
    """

    ndim: int
    channels: int
    classes: int
    filters: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    kernels: tuple[tuple[int, ...], ...]
    dropout: float = 0.3
    batch_norm: bool = True

    def __post_init__(self) -> None:
        _check("number of axes", self.ndim in (2, 3), self.ndim, "Give 2 or 3")
        _check("channels", 1 <= self.channels <= _MOST, self.channels, f"Give 1 to {_MOST}")
        _check("classes", 2 <= self.classes <= _MOST, self.classes, f"Give 2 to {_MOST}")
        _check("levels", LEVELS[0] <= self.levels <= LEVELS[1], self.levels, f"Give {LEVELS[0]} to {LEVELS[1]}")
        _check("filters", all(1 <= f <= _WIDEST for f in self.filters), self.filters, f"Give 1 to {_WIDEST} per level")
        _check("strides", _fits(self.strides, self.levels - 1, self.ndim, (1, 2)), self.strides, "Give 1 or 2 per axis")
        _check("kernels", _fits(self.kernels, self.levels, self.ndim, (1, 3)), self.kernels, "Give 1 or 3 per axis")
        _check("dropout", 0 <= self.dropout < 1, self.dropout, "Give a share from 0 to below 1")

    @classmethod
    def of(
        cls,
        ndim: int,
        channels: int,
        classes: int,
        *,
        levels: int = 4,
        width: int = 16,
        spacing: Sequence[float] | None = None,
        dropout: float = 0.3,
        batch_norm: bool = True,
    ) -> UNetPlan:
        """Return a plan whose filters double from level to level, starting at `width`.

        Axes along which the samples lie more than twice as far apart as along the finest one are neither pooled nor
        looked along until the other axes have become as coarse.
        """
        now = list(spacing) if spacing is not None else [1.0] * ndim
        strides: list[tuple[int, ...]] = []
        kernels: list[tuple[int, ...]] = []
        for level in range(levels):
            thin = [step < _THICK * min(now) for step in now]
            kernels.append(tuple(3 if t else 1 for t in thin))
            if level < levels - 1:
                strides.append(tuple(2 if t else 1 for t in thin))
                now = [step * s for step, s in zip(now, strides[-1], strict=True)]
        filters = tuple(width * 2**level for level in range(levels))
        return cls(ndim, channels, classes, filters, tuple(strides), tuple(kernels), dropout, batch_norm)

    @property
    def levels(self) -> int:
        """Number of resolutions."""
        return len(self.filters)

    @property
    def cell(self) -> tuple[int, ...]:
        """Size of the coarsest pixel per axis: tiles begin and end at its multiples."""
        return tuple(prod(s[axis] for s in self.strides) for axis in range(self.ndim))

    @property
    def halo(self) -> tuple[int, ...]:
        """Pixels around a block that its prediction may depend on per axis, once the block is grown to whole cells."""
        return tuple(max(max(before, after) for before, after in self._reach(axis)) for axis in range(self.ndim))

    @property
    def reach(self) -> tuple[int, ...]:
        """Whole cells around a cell that its prediction may depend on, per axis."""
        return tuple(
            max(max(-(-(before - p) // cell), -(-(after - (cell - 1 - p)) // cell)) for p, (before, after) in enumerate(pairs))
            for cell, pairs in zip(self.cell, map(self._reach, range(self.ndim)), strict=True)
        )

    @property
    def parameter_count(self) -> int:
        """Number of learned weights."""
        blocks = sum(self._block(level, self._before(level)) for level in range(self.levels))
        for level in range(self.levels - 1):
            narrow, wide = self.filters[level], self.filters[level + 1]
            blocks += wide * narrow * prod(self.strides[level]) + narrow + self._block(level, 2 * narrow)
        return blocks + self.filters[0] * self.classes + self.classes

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "name": "unet",
            "ndim": self.ndim,
            "channels": self.channels,
            "classes": self.classes,
            "filters": list(self.filters),
            "strides": [list(s) for s in self.strides],
            "kernels": [list(k) for k in self.kernels],
            "dropout": self.dropout,
            "batch_norm": self.batch_norm,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> UNetPlan:
        """Read a plan; whatever is missing or malformed raises KeyError, TypeError, ValueError or ParameterError."""
        return cls(
            _whole(data["ndim"]),
            _whole(data["channels"]),
            _whole(data["classes"]),
            tuple(map(_whole, data["filters"])),
            tuple(tuple(map(_whole, s)) for s in data["strides"]),
            tuple(tuple(map(_whole, k)) for k in data["kernels"]),
            float(data["dropout"]),
            bool(data["batch_norm"]),
        )

    def build(self) -> Any:
        """Return the untrained network."""
        from napari_lightbox.models.nets.unet import UNet

        return UNet(self)

    def _before(self, level: int) -> int:
        return self.channels if level == 0 else self.filters[level - 1]

    def _block(self, level: int, entering: int) -> int:
        """Return the weights of two convolutions of one level."""
        width, taps = self.filters[level], prod(self.kernels[level])
        per_layer = 2 * width if self.batch_norm else width
        return (entering + width) * width * taps + 2 * per_layer

    def _reach(self, axis: int) -> list[tuple[int, int]]:
        """Return how far each pixel of a cell looks back and ahead along an axis, counted to the ends of whole cells."""
        cell = self.cell[axis]
        pairs = []
        for pixel in range(cell):
            low, high = self._grown(self._decoded(0, axis, (pixel, pixel)), 0, axis)
            pairs.append((pixel - low // cell * cell, -(-(high + 1) // cell) * cell - 1 - pixel))
        return pairs

    def _decoded(self, level: int, axis: int, span: tuple[int, int]) -> tuple[int, int]:
        """Return which part of a level's encoder output a part of its decoder output needs."""
        if level == self.levels - 1:
            return span
        low, high = self._grown(span, level, axis)
        stride = self.strides[level][axis]
        below = self._grown(self._decoded(level + 1, axis, (low // stride, high // stride)), level + 1, axis)
        return min(low, below[0] * stride), max(high, below[1] * stride + stride - 1)

    def _grown(self, span: tuple[int, int], level: int, axis: int) -> tuple[int, int]:
        two_layers = 2 * (self.kernels[level][axis] // 2)
        return span[0] - two_layers, span[1] + two_layers


def _fits(rows: Sequence[Sequence[int]], count: int, length: int, allowed: tuple[int, int]) -> bool:
    return len(rows) == count and all(len(row) == length and set(row) <= set(allowed) for row in rows)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _check(subject: str, fine: bool, value: Any, way_out: str) -> None:
    if not fine:
        raise ParameterError(subject, f"{value!r} does not make a U-Net", way_out)
