"""Mean (box) filter."""

from __future__ import annotations

from typing import Annotated

from napari_lightbox.contract import Advanced, Extent, Halo, Odd, PerAxis, Range, Unit, per_axis, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.borders import Continuation
from napari_lightbox.kernels.box import box_mean


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return tuple(int(s) // 2 for s in per_axis("size", p["size"], extent.ndim))


@technique(
    "mean_filter",
    title="Mean (box) filter",
    locality=Halo(_radius),
    synonyms=("box filter", "average", "uniform filter", "moving average"),
)
def mean_filter(
    image: Image,
    *,
    size: Annotated[int | tuple[int, ...], PerAxis(), Odd(), Range(1, 999), Unit("px")] = 3,
    border: Annotated[Continuation, Advanced()] = "reflect",
) -> Image:
    """Replace each pixel by the mean of the box around it.

    The cheapest smoothing: a 3 x 3 box divides the standard deviation of independent noise by three. It blurs
    edges over the whole box and rings at fine patterns; a Gaussian blur is gentler, a median keeps edges.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    size
        Odd width of the box in pixels, one number or one per axis (z, y, x); 1 leaves an axis out.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a), nearest (a a a | a b c d | d d d).

    Returns
    -------
    image
        Same shape and type.

    Notes
    -----
    Integers of up to 32 bits are summed exactly and rounded once, to the nearest; 64-bit integers are summed as
    float64. A true/false image gives the majority of the box. Floating sums run in float64. A NaN or an infinity
    reaches every pixel whose box holds it. The cost does not depend on the size.

    References
    ----------
    OpenCV ``blur``; scipy.ndimage ``uniform_filter``, equal for floating images (for integers it truncates after each
    axis).
    """
    half = tuple(int(s) // 2 for s in per_axis("size", size, image.ndim))
    return box_mean(image, half, border)
