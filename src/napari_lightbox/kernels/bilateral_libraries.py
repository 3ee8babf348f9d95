"""Bilateral filters of other libraries, brought to one form: channels (c, [z,] y, x) in, the same out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.bilateral import BilateralBorder
from napari_lightbox.kernels.rounding import as_floating, to_dtype
from napari_lightbox.kernels.separable import border_code


def bilateral_opencv(
    channels: NDArray[Any], half: int, sigma_color: float, sigma: float, border: BilateralBorder
) -> NDArray[Any]:
    """Run OpenCV's filter over a disc; types other than uint8 go through float32."""
    import cv2

    data = channels if channels.dtype == np.uint8 else channels.astype(np.float32)
    picture = np.ascontiguousarray(np.moveaxis(data, 0, -1))
    smooth = cv2.bilateralFilter(picture, 2 * half + 1, sigma_color, sigma, borderType=border_code(border))
    return to_dtype(np.moveaxis(np.asarray(smooth).reshape(picture.shape), -1, 0), channels.dtype)


def bilateral_skimage(
    channels: NDArray[Any], half: int, sigma_color: float, sigma: float, bins: int, border: BilateralBorder
) -> NDArray[Any]:
    """Run scikit-image's filter over a square."""
    from skimage.restoration import denoise_bilateral

    mode = {"mirror": "reflect", "reflect": "symmetric", "nearest": "edge", "constant": "constant"}[border]
    picture = np.moveaxis(as_floating(channels), 0, -1)
    joint = len(channels) > 1
    smooth = denoise_bilateral(
        picture if joint else picture[..., 0],
        win_size=2 * half + 1,
        sigma_color=sigma_color,
        sigma_spatial=sigma,
        bins=bins,
        mode=mode,
        channel_axis=-1 if joint else None,
    )
    smooth = np.moveaxis(smooth, -1, 0) if joint else np.asarray(smooth)[None]
    return to_dtype(smooth.astype(picture.dtype, copy=False), channels.dtype)


def bilateral_itk(channels: NDArray[Any], sigma_color: float, sigma: Sequence[float]) -> NDArray[Any]:
    """Run ITK's filter on each channel; one sigma per axis becomes a spacing, since ITK takes one length for all."""
    import SimpleITK as sitk

    smooth = []
    for channel in as_floating(channels):
        picture = sitk.GetImageFromArray(np.ascontiguousarray(channel))
        picture.SetSpacing([1 / s for s in sigma[::-1]])
        filtered = sitk.Bilateral(picture, domainSigma=1.0, rangeSigma=sigma_color, numberOfRangeGaussianSamples=100)
        smooth.append(to_dtype(sitk.GetArrayFromImage(filtered), channels.dtype))
    return np.stack(smooth)
