"""Deconvolution beside scikit-image and ITK."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case, noise_image


def blurred_and_psf(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and a box of five pixels a side."""
    psf = np.ones((5,) * len(shape), dtype)
    return noise_image(rng, shape, dtype)[0], psf / psf.sum()


def skimage_wiener(image: Any, psf: Any) -> Any:
    from skimage import restoration

    delta = np.zeros((3,) * image.ndim, image.dtype)
    delta[(1,) * image.ndim] = 1
    return restoration.wiener(image, psf, 0.01, reg=delta, clip=False)


def itk_wiener(image: Any, psf: Any) -> Any:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.WienerDeconvolution(sitk.GetImageFromArray(image), sitk.GetImageFromArray(psf), 0.01))


def skimage_richardson_lucy(image: Any, psf: Any) -> Any:
    from skimage import restoration

    return restoration.richardson_lucy(image, psf, 10, clip=False)


def itk_richardson_lucy(image: Any, psf: Any) -> Any:
    import SimpleITK as sitk

    rule = sitk.RichardsonLucyDeconvolutionImageFilter.ZERO_PAD
    picture, kernel = sitk.GetImageFromArray(image), sitk.GetImageFromArray(psf)
    return sitk.GetArrayFromImage(sitk.RichardsonLucyDeconvolution(picture, kernel, 10, True, rule))


_WIENER = {"model": "given", "noise_to_signal": 0.01, "taper": 0}
_LUCY = {"model": "given", "iterations": 10}

CASES: list[Case] = [
    Case("wiener_deconvolution", _WIENER, raw=itk_wiener, peer=skimage_wiener, make=blurred_and_psf, dtypes=("float32",)),
    Case(
        "richardson_lucy", _LUCY, raw=itk_richardson_lucy, peer=skimage_richardson_lucy, make=blurred_and_psf, dtypes=("float32",)
    ),
]
