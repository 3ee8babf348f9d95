"""Morphology beside OpenCV, ITK, scipy and scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case


def blob_mask(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return a mask of smooth blobs that fills about half of the image."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(rng.random(shape), 4)
    return ((smooth > 0.5).astype(dtype),)


def _box(image: Any, radius: int) -> Any:
    return np.ones((2 * radius + 1,) * image.ndim, np.uint8)


def _ball(image: Any, radius: int) -> Any:
    from skimage import morphology

    return morphology.disk(radius) if image.ndim == 2 else morphology.ball(radius)


def erode_box(image: Any) -> Any:
    import cv2

    return cv2.erode(image, _box(image, 1))


def erode_ball(image: Any) -> Any:
    import cv2

    return cv2.erode(image, _ball(image, 5))


def dilate_ball(image: Any) -> Any:
    import cv2

    return cv2.dilate(image, _ball(image, 5))


def open_box(image: Any) -> Any:
    import cv2

    return cv2.morphologyEx(image, cv2.MORPH_OPEN, _box(image, 1))


def close_box(image: Any) -> Any:
    import cv2

    return cv2.morphologyEx(image, cv2.MORPH_CLOSE, _box(image, 1))


def gradient_box(image: Any) -> Any:
    import cv2

    return cv2.morphologyEx(image, cv2.MORPH_GRADIENT, _box(image, 1))


def scipy_erode_box(image: Any) -> Any:
    from scipy import ndimage

    return ndimage.grey_erosion(image, size=3)


def skimage_erode_ball(image: Any) -> Any:
    from skimage import morphology

    return morphology.erosion(image, _ball(image, 5))


def skimage_dilate_ball(image: Any) -> Any:
    from skimage import morphology

    return morphology.dilation(image, _ball(image, 5))


def skimage_open_box(image: Any) -> Any:
    from skimage import morphology

    return morphology.opening(image, _box(image, 1))


def skimage_close_box(image: Any) -> Any:
    from skimage import morphology

    return morphology.closing(image, _box(image, 1))


def scipy_gradient_box(image: Any) -> Any:
    from scipy import ndimage

    return ndimage.morphological_gradient(image, size=3)


def library_distance(mask: Any) -> Any:
    if mask.ndim == 2:
        import cv2

        return cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(sitk.GetImageFromArray(1 - mask), squaredDistance=False))


def scipy_distance(mask: Any) -> Any:
    from scipy import ndimage

    return ndimage.distance_transform_edt(mask)


def itk_fill(mask: Any) -> Any:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(mask)))


def scipy_fill(mask: Any) -> Any:
    from scipy import ndimage

    return ndimage.binary_fill_holes(mask)


_BALL = {"shape": "ball", "radius": 5.0}

CASES: list[Case] = [
    Case("morphological_erosion", raw=erode_box, peer=scipy_erode_box, raw_dims=(2,)),
    Case("morphological_erosion", _BALL, raw=erode_ball, peer=skimage_erode_ball, raw_dims=(2,)),
    Case("morphological_dilation", _BALL, raw=dilate_ball, peer=skimage_dilate_ball, raw_dims=(2,)),
    Case("morphological_opening", raw=open_box, peer=skimage_open_box, raw_dims=(2,)),
    Case("morphological_closing", raw=close_box, peer=skimage_close_box, raw_dims=(2,)),
    Case("morphological_gradient", raw=gradient_box, peer=scipy_gradient_box, raw_dims=(2,)),
    Case("distance_transform", raw=library_distance, peer=scipy_distance, make=blob_mask, dtypes=("uint8",)),
    Case("binary_fill_holes", raw=itk_fill, peer=scipy_fill, make=blob_mask, dtypes=("uint8",)),
]
