"""Richardson-Lucy deconvolution."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, PerAxis, Range, Unit, VisibleIf, Volume, per_axis, technique
from napari_lightbox.contract.roles import Image, Reference
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.blurring import Boundary, make_blurring
from napari_lightbox.kernels.point_spread import BlurModel, make_psf
from napari_lightbox.kernels.rounding import as_floating

# keeps the quotient finite, as in scikit-image
_TINY = 1e-12


@technique(
    "richardson_lucy",
    title="Richardson-Lucy deconvolution",
    locality=Volume(),
    dtype="float",
    synonyms=("deblur", "RL deconvolution", "microscope deconvolution", "Lucy-Richardson"),
)
def richardson_lucy(
    image: Image,
    psf: Reference | None = None,
    *,
    model: BlurModel = "gaussian",
    length: Annotated[int, Range(1, 999), Unit("px"), VisibleIf("model", "motion")] = 22,
    angle: Annotated[float, Range(-360, 360, 1), Unit("degrees"), VisibleIf("model", "motion")] = 135.0,
    support: Annotated[int | None, Range(1, 1999), Unit("px"), VisibleIf("model", "motion"), Advanced()] = None,
    width: Annotated[
        float | tuple[float, ...], PerAxis(), Range(0, 200, 0.1), Unit("px"), VisibleIf("model", "gaussian", "disk")
    ] = 2.0,
    iterations: Annotated[int, Range(0, 1000)] = 20,
    boundary: Literal["zero", "periodic", "nearest"] = "zero",
    initial: Annotated[Literal["constant", "image"], Advanced()] = "constant",
    filter_epsilon: Annotated[float | None, Range(0, None), Unit("intensity"), Advanced()] = None,
    clip: Annotated[bool, Advanced()] = False,
) -> Image:
    """Undo a known blur step by step, keeping the image non-negative and its total intensity.

    The maximum-likelihood estimate for Poisson noise, as photon counts have it. Every iteration sharpens further and
    amplifies noise: the number of iterations is the regulariser, so stop before the grain grows. On noise-free images
    more iterations are always better; on noisy ones a few may already be too many. Subtract a constant background first:
    it is not part of the model.

    Parameters
    ----------
    image
        Blurred image (y, x) or (z, y, x), non-negative.
    psf
        Image of the point-spread function for the model given; normalised to sum 1. A plane serves every slice of a
        volume.
    model
        How the blur is described: motion (a line in the plane), gaussian, disk (defocus; a ball in volumes), or given.
    length
        Length of the motion.
    angle
        Direction of the motion, from the x axis towards the y axis.
    support
        Side of the square the motion is drawn into; None fits it to the length.
    width
        Standard deviation of the gaussian or radius of the disk, one number or one per axis (z, y, x).
    iterations
        Number of updates; 20 to 50 are usual for low noise.
    boundary
        What lies outside: zero (as scikit-image has it), periodic (keeps the total exactly) or nearest.
    initial
        Start from a constant or from the blurred image, which gives a sharper result early and keeps artefacts longer.
    filter_epsilon
        Where the blurred estimate is below this, the update is 0 instead of a division; None for never.
    clip
        Cut the result to -1 ... 1, as scikit-image does by default; for images scaled to that range only.

    Returns
    -------
    image
        Same shape, float32 (float64 for 32-bit and wider input), in the units of the input.

    Raises
    ------
    ParameterError
        A given model without PSF, or a PSF beside another model.
    InputError
        A PSF that sums to nothing, or an image with negative, NaN or infinite values.

    Notes
    -----
    With the zero boundary the rim darkens within the reach of the PSF.

    References
    ----------
    W. H. Richardson, "Bayesian-based iterative method of image restoration", https://doi.org/10.1364/JOSA.62.000055;
    L. B. Lucy, "An iterative technique for the rectification of observed distributions", https://doi.org/10.1086/111605;
    ``skimage.restoration.richardson_lucy``; ITK ``RichardsonLucyDeconvolutionImageFilter``.
    """
    data = as_floating(image)
    if not (np.isfinite(data).all() and data.min(initial=0) >= 0):
        raise InputError("image", "has negative, NaN or infinite values, which cannot be counts", "Add an offset or fill them in")
    spread = make_psf(model, psf, image.ndim, length, angle, support, per_axis("width", width, image.ndim))
    found = _iterate(data, spread, iterations, boundary, initial, filter_epsilon)
    return np.clip(found, -1, 1) if clip else found


def _iterate(
    image: NDArray[Any], psf: NDArray[Any], iterations: int, boundary: Boundary, initial: str, epsilon: float | None
) -> NDArray[Any]:
    blurring = make_blurring(psf, image.shape, image.dtype, boundary)
    target = blurring.extend(image)
    start = target.copy() if initial == "image" else np.full(target.shape, 0.5, image.dtype)
    estimate = start
    for _ in range(iterations):
        blurred = blurring.blur(estimate)
        blurred += image.dtype.type(_TINY)
        dark = None if epsilon is None else blurred < epsilon
        ratio = np.divide(target, blurred, out=blurred)
        if dark is not None:
            ratio[dark] = 0
        estimate *= blurring.blur_back(ratio)
    return np.ascontiguousarray(blurring.crop(estimate))
