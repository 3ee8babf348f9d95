"""Features of pixels at several scales, equal bit for bit however an image is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError, ParameterError

Colour = Literal["as is", "YCbCr", "CbCr"]
Unit = Literal["px", "physical"]
Triple = tuple[int, int, int]

GROUPS = ("intensity", "gaussian", "gradient", "laplacian", "difference", "hessian", "structure")
LARGEST_SIGMA = 64.0
_SMOOTHED = frozenset(("gaussian", "gradient", "laplacian", "difference", "hessian"))
_Y, _CB, _CR = (0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)
_MATRICES = {"YCbCr": np.array([_Y, _CB, _CR]), "CbCr": np.array([_CB, _CR])}


@dataclass(frozen=True)
class FeatureSet:
    """Which features are taken, of how many channels, in how many dimensions.

    Parameters
    ----------
    groups
        Names out of `GROUPS`.
    sigmas
        Widths of the Gaussian, in pixels of the finest axis (``"px"``) or in physical units.
    ndim, channels
        Number of spatial axes and of channels of the image.
    colour
        What becomes of three colour channels first.
    """

    groups: tuple[str, ...]
    sigmas: tuple[float, ...]
    unit: Unit
    ndim: int
    channels: int
    colour: Colour = "as is"

    def __post_init__(self) -> None:
        check_choice(self.groups, self.sigmas)
        if self.colour not in get_args(Colour) or self.unit not in get_args(Unit):
            raise ParameterError("colour", f"{self.colour!r} with unit {self.unit!r} is unknown", "Use YCbCr, CbCr or as is")
        if self.colour != "as is" and self.channels != 3:
            found = f"has {self.channels} channel{'s' if self.channels != 1 else ''}, {self.colour} needs red, green and blue"
            raise InputError("image", found, 'Choose colour "as is"')

    @property
    def planes(self) -> int:
        """Number of channels that features are taken of."""
        return len(_MATRICES[self.colour]) if self.colour in _MATRICES else self.channels

    @property
    def smoothed(self) -> bool:
        """Whether the smoothed image itself is needed."""
        return bool(_SMOOTHED.intersection(self.groups))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each feature is, in order."""
        several = {"hessian": self.ndim, "structure": self.ndim}
        single = ["intensity"] if "intensity" in self.groups else []
        scaled = [g for g in GROUPS[1:] if g in self.groups]
        for sigma in self.sigmas:
            for group in scaled:
                parts = several.get(group, 0)
                single += [f"{group} {sigma:g}"] if not parts else [f"{group} {sigma:g} eigenvalue {i + 1}" for i in range(parts)]
        return tuple(f"{name} of channel {c}" if self.planes > 1 else name for c in range(self.planes) for name in single)

    def steps(self, spacing: Sequence[float]) -> tuple[float, ...]:
        """Return the distance between samples along the kernel's axes in the unit of the sigmas."""
        finest = min(spacing) if self.unit == "px" else 1.0
        return tuple(s / finest for s in spacing)

    def radius(self, spacing: Sequence[float]) -> tuple[int, ...]:
        """Return how many samples the features look around themselves along each axis: four of the largest sigma, rounded up."""
        return halo(self.groups, self.sigmas, self.steps(spacing))


def halo(groups: Sequence[str], sigmas: Sequence[float], steps: Sequence[float]) -> tuple[int, ...]:
    """Return the radius of features at these scales along each axis."""
    if not any(g != "intensity" for g in groups):
        return (0,) * len(steps)
    return tuple(ceil(4 * max(sigmas) / step) for step in steps)


def check_choice(groups: Sequence[str], sigmas: Sequence[float]) -> None:
    """Raise unless some features are chosen and their scales make sense.

    Raises
    ------
    ParameterError
        No feature, or a scale that is none.
    """
    if not groups or not set(groups) <= set(GROUPS):
        raise ParameterError("features", f"{', '.join(groups) or 'none'} chosen", f"Choose some of {', '.join(GROUPS)}")
    scaled = any(g != "intensity" for g in groups)
    if (scaled and not sigmas) or len(sigmas) > 16 or any(not 0.3 <= s <= LARGEST_SIGMA for s in sigmas):
        reason = f"{tuple(sigmas)} are not 1 to 16 widths between 0.3 and {LARGEST_SIGMA:g}"
        raise ParameterError("sigmas", reason, "Give widths such as 1, 2, 4")
    if list(sigmas) != sorted(set(sigmas)):
        raise ParameterError("sigmas", f"{tuple(sigmas)} are not in ascending order", "Name each width once, the smallest first")


@dataclass(frozen=True, eq=False)
class Fields:
    """Smoothed images of a box with one more sample on each side, and how features follow from them."""

    data: NDArray[Any]
    program: NDArray[np.int64]
    factors: NDArray[np.float64]
    flat: bool
    features: int


def make_fields(block: NDArray[Any], inner: tuple[slice, ...], features: FeatureSet, spacing: Sequence[float]) -> Fields:
    """Return the fields of the box `inner` of a block.

    Parameters
    ----------
    block
        Image over the kernel's axes, with channels last when there are several; it reaches one radius beyond `inner` or to
        the border of the image, where it is reflected. A value that is not finite counts as 0.
    inner
        Box of the block, slices with a start and a stop.
    """
    steps = features.steps(spacing)
    lead = 3 - features.ndim
    box = (slice(0, 1),) * lead + inner
    planes = channel_planes(block, features)
    planes = planes.reshape(planes.shape[0], *(1,) * lead, *planes.shape[1:])
    margin: Triple = (0 if lead else 1, 1, 1)
    shape = tuple(s.stop - s.start + 2 * m for s, m in zip(box, margin, strict=True))
    program, count = _program(features)
    data = np.empty((count, *shape), planes.dtype)
    at = 0
    for plane in planes:
        at = _fill(plane, box, margin, features, steps, data, at)
    factors = np.array([0.0] * lead + [1 / s for s in steps])
    return Fields(data, program, factors, bool(lead), len(features.names))


def channel_planes(block: NDArray[Any], features: FeatureSet) -> NDArray[Any]:
    """Return finite channels first, as float32, or float64 where that is needed to hold the values."""
    work = np.dtype(np.float64 if block.dtype.itemsize >= 4 and block.dtype != np.float32 else np.float32)
    split = np.moveaxis(block, -1, 0) if block.ndim > features.ndim else block[np.newaxis]
    planes = np.ascontiguousarray(split, work)
    if block.dtype.kind == "f" and not np.isfinite(planes).all():
        planes = np.where(np.isfinite(planes), planes, work.type(0))
    if features.colour not in _MATRICES:
        return planes
    matrix = _MATRICES[features.colour].astype(work)
    return np.stack([(row[0] * planes[0] + row[1] * planes[1]) + row[2] * planes[2] for row in matrix])


def _program(features: FeatureSet) -> tuple[NDArray[np.int64], int]:
    """Return the rows that `write_features` follows, and the number of fields."""
    from napari_lightbox.kernels import pixel_rows_compiled as rows

    kinds = {"gaussian": rows.VALUE, "gradient": rows.SOBEL, "laplacian": rows.LAPLACE, "hessian": rows.HESSIAN}
    products = features.ndim * (features.ndim + 1) // 2
    program: list[tuple[int, int, int]] = []
    at = 0
    for _ in range(features.planes):
        finer = at
        if "intensity" in features.groups:
            program.append((rows.VALUE, at, 0))
        at += 1
        for _ in features.sigmas:
            own = at
            at += features.smoothed
            for group in GROUPS[1:]:
                if group not in features.groups:
                    continue
                if group == "difference":
                    program.append((rows.DIFFERENCE, finer, own))
                elif group == "structure":
                    program.append((rows.TENSOR, at, 0))
                    at += products
                else:
                    program.append((kinds[group], own, 0))
            finer = own
    return np.array(program, np.int64).reshape(-1, 3), at


def _fill(
    plane: NDArray[Any],
    box: tuple[slice, ...],
    margin: Triple,
    features: FeatureSet,
    steps: Sequence[float],
    data: NDArray[Any],
    at: int,
) -> int:
    """Write the fields of one channel from number `at` on and return the number after the last."""
    from napari_lightbox.kernels.smoothing import smoothed

    lead = (1.0,) * (3 - len(steps))
    none = (0.0, 0.0, 0.0)
    smoothed(plane, none, box, margin, data[at])
    at += 1
    products = _products(plane, steps) if "structure" in features.groups else ()
    for sigma in features.sigmas:
        widths = (0.0,) * len(lead) + tuple(sigma / s for s in steps)
        if features.smoothed:
            smoothed(plane, widths, box, margin, data[at])
            at += 1
        for product in products:
            smoothed(product, widths, box, margin, data[at])
            at += 1
    return at


def _products(plane: NDArray[Any], steps: Sequence[float]) -> Any:
    """Return the products of the slopes of a channel."""
    from napari_lightbox.kernels.slabs import run_slabs
    from napari_lightbox.kernels.smoothing_compiled import slope_products

    factors = np.array([0.0] * (3 - len(steps)) + [0.5 / s for s in steps], plane.dtype)
    out = np.empty((len(steps) * (len(steps) + 1) // 2, *plane.shape), plane.dtype)
    run_slabs(lambda start, stop: slope_products(plane, factors, out, start, stop), len(plane))
    return out
