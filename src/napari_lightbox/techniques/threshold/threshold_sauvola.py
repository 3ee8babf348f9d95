"""Sauvola threshold."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, NamedTuple

import numpy as np

from napari_lightbox.contract import Dtype, Extent, Halo, Odd, PerAxis, Range, Unit, per_axis, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.kernels.box_sums import box_square_sums, box_sums
from napari_lightbox.kernels.local_levels import finite_windows, split_by_moments


class SauvolaResult(NamedTuple):
    """Foreground and the level of each pixel."""

    labels: Labels
    threshold: Annotated[Image, Dtype("float")]


def _window(value: Any, ndim: int) -> tuple[int, ...]:
    return tuple(int(w) for w in per_axis("window_size", value, ndim))


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return tuple(w // 2 for w in _window(p["window_size"], extent.ndim))


@technique(
    "threshold_sauvola",
    title="Sauvola threshold",
    locality=Halo(_radius),
    synonyms=("local threshold", "document binarisation"),
)
def threshold_sauvola(
    image: Image,
    *,
    window_size: Annotated[int | tuple[int, ...], PerAxis(), Odd(), Range(1, 1001), Unit("px")] = 25,
    k: Annotated[float, Range(-5, 5, 0.05)] = 0.2,
    r: Annotated[float | None, Range(1e-12), Unit("intensity")] = None,
    invert: bool = False,
) -> SauvolaResult:
    """Compare each pixel with a level made of the mean and the contrast around it.

    The level is m (1 + k (s / R - 1)) with the mean m and the standard deviation s of the window. Where contrast is low the
    level falls below the mean, so that empty paper stays empty. Made for text and stains on uneven background.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    window_size
        Odd width of the window, one number or one per axis (z, y, x). A little larger than the structures to find.
    k
        Weight of the contrast; larger values lower the level in flat regions. Usually 0.2 to 0.5.
    r
        Standard deviation of full contrast. Half of the range of an integer type when empty (127.5 for 8 bits), 1 for floats:
        give it for floats that do not lie in 0 to 1.
    invert
        Mark the dark side: 1 where the image is at or below the level.

    Returns
    -------
    labels
        1 where the image is above the level, else 0.
    threshold
        The level of each pixel; float32, or float64 for types of 32 bits and more.

    Notes
    -----
    The image is mirrored at its border (d c b | a b c d | c b a). Sums over integers are exact, so blocks equal the whole
    image bit for bit. A level is NaN, and the label 0, where the window holds a NaN or an infinity.

    References
    ----------
    Sauvola and Pietikäinen (2000), Pattern Recognition 33(2): 225-236, doi:10.1016/S0031-3203(99)00055-2;
    scikit-image ``threshold_sauvola``.
    """
    size = _window(window_size, image.ndim)
    full = r if r is not None else _half_range(image.dtype)
    block = image.view(np.uint8) if image.dtype.kind == "b" else image
    sums = finite_windows(lambda values: box_sums(values, size, "mirror"), block, size)
    squares = finite_windows(lambda values: box_square_sums(values, size, "mirror"), block, size)
    return SauvolaResult(*split_by_moments(image, sums, squares, prod(size), k, full, invert))


def _half_range(dtype: Any) -> float:
    if dtype.kind not in "iu":
        return 0.5 if dtype.kind == "b" else 1.0
    limits = np.iinfo(dtype)
    return 0.5 * (float(limits.max) - float(limits.min))
