"""Point-spread functions and their transfer functions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.gaussian import gaussian_radius, gaussian_taps

BlurModel = Literal["motion", "gaussian", "disk", "given"]
_SUBPIXELS = 8


def motion_psf(length: int, angle: float, support: int | None = None) -> NDArray[np.float64]:
    """Return a line of `length` pixels turned by `angle` degrees from the x axis towards the y axis.

    Sampled as in OpenCV's deconvolution sample: a row of ones turned with cubic interpolation, here
    without its negative overshoots.
    """
    import cv2

    size = support or 2 * (length // 2) + 3
    row = np.ones((1, length), np.float32)
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]], np.float32)
    matrix[:, 2] = size // 2 - matrix[:, :2] @ np.array([(length - 1) * 0.5, 0], np.float32)
    return _normalised(np.maximum(cv2.warpAffine(row, matrix, (size, size), flags=cv2.INTER_CUBIC), 0))


def gaussian_psf(sigma: Sequence[float]) -> NDArray[np.float64]:
    """Return a sampled Gaussian, cut at four sigmas."""
    taps = [gaussian_taps(s, gaussian_radius(s, 4.0)) for s in sigma]
    return np.asarray(functools.reduce(np.multiply, np.ix_(*taps)))


def disk_psf(radius: Sequence[float]) -> NDArray[np.float64]:
    """Return a disk or ball whose border pixels count by the share of their area inside."""
    fine = np.arange(_SUBPIXELS) / _SUBPIXELS - (_SUBPIXELS - 1) / (2 * _SUBPIXELS)
    squares = []
    for r in radius:
        reach = int(np.ceil(r - 0.5)) if r > 0.5 else 0
        offsets = (np.arange(-reach, reach + 1)[:, None] + fine).ravel()
        squares.append((offsets / max(r, 0.5)) ** 2)
    inside = functools.reduce(np.add, np.ix_(*squares)) <= 1
    blocks = [n for s in squares for n in (len(s) // _SUBPIXELS, _SUBPIXELS)]
    return _normalised(inside.reshape(blocks).mean(axis=tuple(range(1, len(blocks), 2))))


def given_psf(psf: NDArray[Any], ndim: int) -> NDArray[np.float64]:
    """Return a measured PSF normalised to sum 1; a plane serves every slice of a volume.

    Raises
    ------
    InputError
        More axes than the image, values that are not finite, or a sum that is not above zero.
    """
    values = np.asarray(psf, np.float64)
    if values.ndim > ndim:
        raise InputError("psf", f"has {values.ndim} axes for a {ndim}D image", f"Give a PSF of at most {ndim} axes")
    if not np.isfinite(values).all() or values.sum() <= 0:
        raise InputError("psf", "does not sum to a positive number", "Give a PSF of finite values")
    return _normalised(values.reshape((1,) * (ndim - values.ndim) + values.shape))


def make_psf(
    model: BlurModel, psf: NDArray[Any] | None, ndim: int, length: int, angle: float, support: int | None, width: Sequence[float]
) -> NDArray[np.float64]:
    """Return the point-spread function that the user measured or described.

    Raises
    ------
    ParameterError
        The given model without a PSF, or a PSF beside a described one.
    """
    if (model == "given") != (psf is not None):
        way_out = (
            "Give a PSF image, or choose motion, gaussian or disk" if psf is None else "Choose 'given', or leave the PSF out"
        )
        raise ParameterError("model", f"is {model!r} {'without' if psf is None else 'beside'} a PSF image", way_out)
    if psf is not None:
        return given_psf(psf, ndim)
    if model == "motion":
        return given_psf(motion_psf(length, angle, support), ndim)
    return gaussian_psf(width) if model == "gaussian" else disk_psf(width)


def transfer_function(psf: NDArray[Any], shape: Sequence[int], dtype: Any) -> NDArray[Any]:
    """Return the real-input Fourier transform of a PSF centred on index 0 of a periodic image; a larger PSF wraps around.

    Axis by axis, each extended to the image's length only when its turn comes: the zeros around the PSF cost nothing.
    """
    from scipy import fft

    found = fft.rfft(_folded(psf.astype(dtype), psf.ndim - 1, shape[-1]), workers=-1)
    for axis in range(psf.ndim - 2, -1, -1):
        found = fft.fft(_folded(found, axis, shape[axis]), axis=axis, workers=-1, overwrite_x=True)
    return np.asarray(found)


def _folded(values: NDArray[Any], axis: int, length: int) -> NDArray[Any]:
    """Return one axis wrapped around to `length`, its middle at index 0."""
    out = np.zeros([length if a == axis else n for a, n in enumerate(values.shape)], values.dtype)
    k = values.shape[axis]
    np.add.at(np.moveaxis(out, axis, 0), (np.arange(k) - k // 2) % length, np.moveaxis(values, axis, 0))
    return out


def separated(psf: NDArray[Any], dtype: Any) -> list[NDArray[np.float64]] | None:
    """Return one kernel per axis whose outer product is the PSF to the precision of `dtype`, None without such kernels."""
    sides = [psf.sum(axis=tuple(b for b in range(psf.ndim) if b != a)) / psf.sum() for a in range(psf.ndim)]
    sides[0] = sides[0] * psf.sum()
    product = functools.reduce(np.multiply, np.ix_(*sides))
    return sides if np.abs(product - psf).max() <= np.finfo(dtype).eps * psf.max() else None


def _normalised(psf: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(psf, np.float64)
    return np.asarray(values / values.sum())
