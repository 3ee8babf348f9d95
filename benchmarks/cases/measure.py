"""Measurements beside scikit-image and ITK."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case, noise_image
from benchmarks.cases.morphology import blob_mask


def image_pair(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and the same with other noise."""
    return noise_image(rng, shape, dtype) + noise_image(rng, shape, dtype)


def label_image(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return numbered blobs and a gray image."""
    from scipy import ndimage

    labels = ndimage.label(blob_mask(rng, shape, "uint8")[0])[0].astype(np.int32)
    return labels, noise_image(rng, shape, dtype)[0]


def label_pair(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return two label images of four classes."""
    return rng.integers(0, 4, shape).astype(dtype), rng.integers(0, 4, shape).astype(dtype)


def skimage_psnr(image: Any, reference: Any) -> Any:
    from skimage import metrics

    peak = 1.0 if reference.dtype.kind == "f" else np.iinfo(reference.dtype).max
    return metrics.peak_signal_noise_ratio(reference, image, data_range=peak)


def opencv_psnr(image: Any, reference: Any) -> Any:
    import cv2

    peak = 1.0 if reference.dtype.kind == "f" else float(np.iinfo(reference.dtype).max)
    return cv2.PSNR(image, reference, peak)


def skimage_regions(labels: Any, image: Any) -> Any:
    from skimage import measure

    wanted = ("label", "area", "centroid", "bbox", "intensity_mean", "intensity_std", "intensity_min", "intensity_max")
    return measure.regionprops_table(labels, image, properties=wanted)


def itk_regions(labels: Any, image: Any) -> Any:
    import SimpleITK as sitk

    found = sitk.LabelIntensityStatisticsImageFilter()
    found.Execute(sitk.GetImageFromArray(labels), sitk.GetImageFromArray(image))
    return found.GetLabels()


def itk_overlap(prediction: Any, truth: Any) -> Any:
    import SimpleITK as sitk

    found = sitk.LabelOverlapMeasuresImageFilter()
    found.Execute(sitk.GetImageFromArray(prediction), sitk.GetImageFromArray(truth))
    return found.GetDiceCoefficient()


def sklearn_overlap(prediction: Any, truth: Any) -> Any:
    from sklearn import metrics

    return metrics.confusion_matrix(truth.ravel(), prediction.ravel())


def skimage_contours(image: Any) -> Any:
    from skimage import measure

    return measure.find_contours(image, 0.5)


def opencv_contours(image: Any) -> Any:
    import cv2

    found, _ = cv2.findContours(image, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    # vertices as (y, x), lengths and areas are part of the result
    measures = [(cv2.arcLength(line, True), cv2.contourArea(line)) for line in found]
    return [line[:, 0, ::-1].astype(np.float64) for line in found], measures


CASES: list[Case] = [
    Case("psnr", raw=opencv_psnr, peer=skimage_psnr, make=image_pair, raw_dims=(2,)),
    Case("region_properties", raw=itk_regions, peer=skimage_regions, make=label_image),
    Case("segmentation_overlap", raw=itk_overlap, peer=sklearn_overlap, make=label_pair, dtypes=("uint8",)),
    Case(
        "find_contours", {"level": 0.5}, raw=skimage_contours, peer=skimage_contours, make=blob_mask, dims=(2,), dtypes=("uint8",)
    ),
    Case("find_contours", {"retrieval": "external"}, raw=opencv_contours, make=blob_mask, dims=(2,), dtypes=("uint8",)),
]
