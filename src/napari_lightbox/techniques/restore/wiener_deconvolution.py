"""Wiener deconvolution."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, PerAxis, Range, Unit, VisibleIf, Volume, per_axis, technique
from napari_lightbox.contract.roles import Image, Reference
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.gaussian import gaussian
from napari_lightbox.kernels.point_spread import BlurModel, make_psf, transfer_function
from napari_lightbox.kernels.rounding import as_floating
from napari_lightbox.kernels.slabs import run_slabs

_VALUES_PER_THREAD = 1 << 18


@technique(
    "wiener_deconvolution",
    title="Wiener deconvolution",
    locality=Volume(),
    dtype="float",
    synonyms=("deblur", "inverse filter", "motion blur", "defocus"),
)
def wiener_deconvolution(
    image: Image,
    psf: Reference | None = None,
    *,
    model: BlurModel = "motion",
    length: Annotated[int, Range(1, 999), Unit("px"), VisibleIf("model", "motion")] = 22,
    angle: Annotated[float, Range(-360, 360, 1), Unit("degrees"), VisibleIf("model", "motion")] = 135.0,
    support: Annotated[int | None, Range(1, 1999), Unit("px"), VisibleIf("model", "motion"), Advanced()] = None,
    width: Annotated[
        float | tuple[float, ...], PerAxis(), Range(0, 200, 0.1), Unit("px"), VisibleIf("model", "gaussian", "disk")
    ] = 2.0,
    snr_db: Annotated[float, Range(-50, 200, 1), Unit("dB")] = 25.0,
    noise_to_signal: Annotated[float | None, Range(0, 1e6), Advanced()] = None,
    taper: Annotated[int, Range(0, 500), Unit("px")] = 31,
    convention: Annotated[Literal["convolution", "correlation"], Advanced()] = "convolution",
) -> Image:
    """Undo a known blur in the frequency domain, holding back where noise would dominate.

    Every frequency is divided by the transfer function H of the blur and damped by |H|^2 / (|H|^2 + K), which is the
    best linear estimate when K is the ratio of noise power to image power. Use it for camera shake, defocus or a
    measured point-spread function (PSF); turn the signal-to-noise ratio down when the result looks grainy or rings.

    Parameters
    ----------
    image
        Blurred image (y, x) or (z, y, x), any real type.
    psf
        Image of the PSF, centred at size // 2, for the model given; normalised to sum 1. A plane serves every slice of
        a volume.
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
    snr_db
        Signal-to-noise ratio in decibels: K is 10 ** (-snr_db / 10). 25 suits a good photograph.
    noise_to_signal
        K itself, instead of the ratio in decibels; 0 is the plain inverse filter.
    taper
        Width of the rim that is blended into a blurred copy that goes on at the opposite border, against ringing from
        the jump between opposite borders; 0 for none. Only along axes that the PSF extends over.
    convention
        Whether the blur was a convolution, as optics make it, or a correlation, as ``cv2.filter2D`` makes it. They
        differ for PSFs that are not symmetric.

    Returns
    -------
    image
        Same shape, float32 (float64 for 32-bit and wider input), in the units of the input, not clipped.

    Raises
    ------
    ParameterError
        A given model without PSF, or a PSF beside another model.
    InputError
        A PSF that sums to nothing, or an image with NaN or infinite values.

    Notes
    -----
    The image is taken as periodic. The Laplacian penalty of scikit-image's ``wiener`` is another filter; both agree for
    a constant penalty.

    References
    ----------
    N. Wiener, "Extrapolation, Interpolation, and Smoothing of Stationary Time Series", MIT Press 1949,
    https://doi.org/10.7551/mitpress/2946.001.0001; OpenCV sample ``deconvolution.py``; ``skimage.restoration.wiener``.
    """
    from scipy import fft

    from napari_lightbox.kernels.spectrum_compiled import wiener_product

    data = as_floating(image)
    if not np.isfinite(data).all():
        raise InputError("image", "has NaN or infinite values, which would spread everywhere", "Fill them in first")
    spread = make_psf(model, psf, image.ndim, length, angle, support, per_axis("width", width, image.ndim))
    if convention == "correlation":
        spread = np.pad(np.flip(spread), [(1 - n % 2, 0) for n in spread.shape])
    if taper:
        data = _tapered(data, [taper if n > 1 else 0 for n in spread.shape])
    ratio = 10 ** (-snr_db / 10) if noise_to_signal is None else noise_to_signal
    transfer = transfer_function(spread, image.shape, data.dtype)
    spectrum = fft.rfftn(data, workers=-1)
    flat, response = spectrum.reshape(-1), transfer.reshape(-1)
    noise, least = data.dtype.type(ratio), np.finfo(data.dtype).tiny
    run_slabs(lambda a, b: wiener_product(flat[a:b], response[a:b], noise, least), flat.size, _VALUES_PER_THREAD)
    return np.asarray(fft.irfftn(spectrum, image.shape, workers=-1, overwrite_x=True))


def _tapered(image: NDArray[Any], widths: list[int]) -> NDArray[Any]:
    """Blend the rim into a Gaussian blur of the periodic image, so that opposite borders meet."""
    padded = np.pad(image, [(w, w) for w in widths], mode="wrap")
    sigma = [0.3 * (w - 1) + 0.8 if w else 0.0 for w in widths]
    blurred = gaussian(padded, sigma, widths)[tuple(slice(w, w + n) for w, n in zip(widths, image.shape, strict=True))]
    share = np.ones((1,) * image.ndim, image.dtype)
    for axis, (w, n) in enumerate(zip(widths, image.shape, strict=True)):
        if w:
            steps = np.minimum(np.arange(n), np.arange(n)[::-1]) / w
            along = np.clip(steps, 0, 1).astype(image.dtype).reshape([-1 if a == axis else 1 for a in range(image.ndim)])
            share = np.minimum(share, along)
    return np.asarray(blurred + share * (image - blurred))
