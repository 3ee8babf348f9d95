"""Resampling beside SimpleITK and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from benchmarks.case import Case, noise_image
from napari_lightbox.contract.values import Transform

_ANGLE = np.deg2rad(7.0)


def _matrix(ndim: int) -> Any:
    matrix = np.eye(ndim + 1)
    matrix[ndim - 2 : ndim, ndim - 2 : ndim] = [[np.cos(_ANGLE), -np.sin(_ANGLE)], [np.sin(_ANGLE), np.cos(_ANGLE)]]
    matrix[:ndim, ndim] = 3.3
    return matrix


def _pair(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    (image,) = noise_image(rng, shape, dtype)
    return image, image, Transform(_matrix(len(shape)))


def _itk(image: Any, _reference: Any, transform: Transform) -> Any:
    ndim = image.ndim
    affine = sitk.AffineTransform(ndim)
    affine.SetMatrix(transform.matrix[:ndim, :ndim][::-1, ::-1].ravel().tolist())
    affine.SetTranslation(transform.matrix[:ndim, ndim][::-1].tolist())
    moving = sitk.GetImageFromArray(image)
    return sitk.GetArrayFromImage(sitk.Resample(moving, moving, affine, sitk.sitkLinear, 0.0))


def _scipy(image: Any, _reference: Any, transform: Transform) -> Any:
    ndim = image.ndim
    return ndimage.affine_transform(image, transform.matrix[:ndim, :ndim], transform.matrix[:ndim, ndim], order=1)


CASES: list[Case] = [Case("resample_to_reference", {}, raw=_itk, peer=_scipy, make=_pair)]
