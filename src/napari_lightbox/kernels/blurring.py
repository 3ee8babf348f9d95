"""Repeated blurring by one point-spread function and by its mirror image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.point_spread import separated, transfer_function
from napari_lightbox.kernels.separable import correlate_separable

Boundary = Literal["zero", "periodic", "nearest"]
_Step: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
# up to here OpenCV's direct sum beats two Fourier transforms
_LARGEST_DIRECT = {"float32": 121, "float64": 49}
_LONGEST_SEPARATED = 96


@dataclass(frozen=True)
class Blurring:
    """Blur and its adjoint on an image extended beyond its borders as the boundary rule says."""

    extend: _Step
    crop: _Step
    blur: _Step
    blur_back: _Step


def make_blurring(psf: NDArray[Any], shape: Sequence[int], dtype: Any, boundary: Boundary) -> Blurring:
    """Return blurring by convolution with `psf` on images of `shape`; the transforms of the PSF are made once."""
    if boundary == "zero":
        sides = separated(psf, dtype) if sum(psf.shape) <= _LONGEST_SEPARATED else None
        if sides is not None:
            return _separable(sides, dtype)
        direct = len(shape) == 2 and psf.size <= _LARGEST_DIRECT[np.dtype(dtype).name]
        return _direct(psf, dtype) if direct else _zero(psf, shape, dtype)
    if boundary == "periodic":
        return _periodic(psf, shape, dtype, _unchanged, _unchanged)
    reach = psf.shape

    def extend(image: NDArray[Any]) -> NDArray[Any]:
        return np.pad(image, [(r, r) for r in reach], mode="edge")

    def crop(image: NDArray[Any]) -> NDArray[Any]:
        return image[tuple(slice(r, r + n) for r, n in zip(reach, shape, strict=True))]

    return _periodic(psf, [n + 2 * r for n, r in zip(shape, reach, strict=True)], dtype, extend, crop)


def _unchanged(image: NDArray[Any]) -> NDArray[Any]:
    return image


def _periodic(psf: NDArray[Any], shape: Sequence[int], dtype: Any, extend: _Step, crop: _Step) -> Blurring:
    from scipy import fft

    transfer = transfer_function(psf, shape, dtype)
    adjoint = transfer.conj()

    def multiplied(image: NDArray[Any], factor: NDArray[Any]) -> NDArray[Any]:
        spectrum = fft.rfftn(image, workers=-1)
        spectrum *= factor
        return np.asarray(fft.irfftn(spectrum, shape, workers=-1, overwrite_x=True))

    return Blurring(extend, crop, lambda image: multiplied(image, transfer), lambda image: multiplied(image, adjoint))


def _zero(psf: NDArray[Any], shape: Sequence[int], dtype: Any) -> Blurring:
    """Blur with zeros outside; the part kept of the full result is scipy.signal's ``mode="same"``."""
    from scipy import fft

    size = [fft.next_fast_len(n + k - 1, real=True) for n, k in zip(shape, psf.shape, strict=True)]
    kept = tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in zip(shape, psf.shape, strict=True))
    forward = fft.rfftn(psf.astype(dtype), size, workers=-1)
    backward = fft.rfftn(np.flip(psf).astype(dtype), size, workers=-1)

    def multiplied(image: NDArray[Any], factor: NDArray[Any]) -> NDArray[Any]:
        spectrum = fft.rfftn(image, size, workers=-1)
        spectrum *= factor
        return np.asarray(fft.irfftn(spectrum, size, workers=-1, overwrite_x=True))[kept]

    return Blurring(_unchanged, _unchanged, lambda image: multiplied(image, forward), lambda image: multiplied(image, backward))


def _separable(sides: Sequence[NDArray[Any]], dtype: Any) -> Blurring:
    """Blur along one axis after the other, with zeros outside."""
    # the middle of a side of even length lies behind its centre: a zero more puts it there
    forward = [np.pad(np.flip(side), (0, 1 - len(side) % 2)).astype(dtype) for side in sides]
    backward = [np.pad(side, (0, 1 - len(side) % 2)).astype(dtype) for side in sides]
    return Blurring(
        _unchanged,
        _unchanged,
        lambda image: correlate_separable(image, forward, "constant"),
        lambda image: correlate_separable(image, backward, "constant"),
    )


def _direct(psf: NDArray[Any], dtype: Any) -> Blurring:
    import cv2

    forward, backward = np.ascontiguousarray(np.flip(psf)).astype(dtype), np.ascontiguousarray(psf).astype(dtype)
    anchor = (psf.shape[1] // 2, psf.shape[0] // 2)

    def summed(image: NDArray[Any], taps: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.filter2D(image, -1, taps, anchor=anchor, borderType=cv2.BORDER_CONSTANT))

    return Blurring(_unchanged, _unchanged, lambda image: summed(image, forward), lambda image: summed(image, backward))
