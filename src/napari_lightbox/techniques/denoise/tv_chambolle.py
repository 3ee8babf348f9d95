"""Total variation denoising by Chambolle's projection."""

from __future__ import annotations

from typing import Annotated

from napari_lightbox.contract import Advanced, Range, Unit, Volume, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.missing import all_finite
from napari_lightbox.kernels.rounding import as_floating
from napari_lightbox.kernels.total_variation import chambolle
from napari_lightbox.kernels.type_range import or_share


@technique(
    "tv_chambolle",
    title="Total variation: Chambolle",
    locality=Volume(),
    dtype="float",
    synonyms=("TV", "ROF", "Rudin-Osher-Fatemi", "denoise_tv_chambolle"),
    memory=8.0,
)
def tv_chambolle(
    image: Image,
    *,
    weight: Annotated[float | None, Range(1e-9, None), Unit("intensity")] = None,
    eps: Annotated[float, Range(0, 1), Advanced()] = 2e-4,
    max_iterations: Annotated[int, Range(1, 100000), Advanced()] = 200,
) -> Image:
    """Flatten noise between edges by lowering the image's total variation.

    Finds the image with the smallest sum of gradient magnitudes near the given one. Regions become flat, edges stay
    sharp, fine texture goes; a large weight gives a cartoon. Best for piecewise constant objects.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    weight
        Strength in the image's own intensity; larger removes more. None means a tenth of the type's full scale: 25.5
        for 8 bits, 0.1 for floating images.
    eps
        Stop when the energy changes by less than this share of its first value; 0 runs all iterations.
    max_iterations
        Most steps to take.

    Returns
    -------
    image
        float32, or float64 for 32-bit and wider input; the mean is kept.

    Raises
    ------
    InputError
        The image holds NaN or infinity.

    Notes
    -----
    Every pixel depends on all others and the stop test looks at the whole element, so it cannot be cut into blocks; work
    over y and x for planes of their own. Multiplying image and weight by the same number multiplies the result by it.

    References
    ----------
    Chambolle (2004), An algorithm for total variation minimization and applications,
    doi:10.1023/B:JMIV.0000011325.36760.1e; skimage.restoration ``denoise_tv_chambolle``, equal to rounding.
    """
    if not all_finite(image):
        raise InputError("image", "holds NaN or infinity, which would spread over everything", "Fill them in first")
    return chambolle(as_floating(image), or_share(weight, 0.1, image.dtype), eps, max_iterations)
