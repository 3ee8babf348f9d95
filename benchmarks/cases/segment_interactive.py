"""Interactive segmentation beside scikit-image, OpenCV and ITK."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case, noise_image


def two_seeds(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and a small box of seeds in two of its corners."""
    (image,) = noise_image(rng, shape, dtype)
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(slice(n // 5, n // 5 + 4) for n in shape)] = 1
    seeds[tuple(slice(-n // 5 - 4, -n // 5) for n in shape)] = 2
    return image, seeds


def two_seeds_at_half_size(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return what `two_seeds` does with sides half as long: the peer takes minutes on more."""
    return two_seeds(rng, tuple(n // 2 for n in shape), dtype)


def one_click(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and one seed pixel in its middle."""
    (image,) = noise_image(rng, shape, dtype)
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(n // 2 for n in shape)] = 1
    return image, seeds


def image_and_mask(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and a mask of half of its pixels."""
    (image,) = noise_image(rng, shape, dtype)
    return image, (image > np.median(image)).astype(np.int32)


def _gradient_watershed(image: Any, seeds: Any) -> Any:
    import SimpleITK as sitk

    gradient = sitk.GradientMagnitude(sitk.GetImageFromArray(image))
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(gradient, sitk.GetImageFromArray(seeds), False, False))


def _skimage_watershed(image: Any, seeds: Any) -> Any:
    from skimage.segmentation import watershed

    derivatives = np.gradient(image.astype(np.float32))
    return watershed(np.sqrt(sum(d * d for d in derivatives)), seeds)


def _skimage_walker(image: Any, seeds: Any) -> Any:
    from skimage.segmentation import random_walker

    return random_walker(image, seeds, beta=130, mode="cg_j", tol=1e-3)


def _tolerance(image: Any) -> float:
    return 0.2 * (1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max))


def _opencv_fill(image: Any, seeds: Any) -> Any:
    import cv2

    found = np.zeros([n + 2 for n in image.shape], np.uint8)
    place = tuple(int(p[0]) for p in np.nonzero(seeds))
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
    cv2.floodFill(image, found, place[::-1], 1, _tolerance(image), _tolerance(image), flags)
    return found[1:-1, 1:-1]


def _skimage_flood(image: Any, seeds: Any) -> Any:
    from skimage.segmentation import flood

    return flood(image, tuple(int(p[0]) for p in np.nonzero(seeds)), connectivity=1, tolerance=_tolerance(image))


def _growing(dtype: str) -> Case:
    return Case(
        "region_growing",
        {"tolerance": _tolerance(np.empty(0, dtype))},
        raw=_opencv_fill,
        peer=_skimage_flood,
        make=one_click,
        dtypes=(dtype,),
        raw_dims=(2,),
        raw_dtypes=("uint8", "float32"),
    )


def _product(image: Any, mask: Any) -> Any:
    return image * mask.astype(image.dtype)


CASES: list[Case] = [
    Case(
        "marker_controlled_watershed",
        {"watershed_line": False},
        raw=_gradient_watershed,
        peer=_skimage_watershed,
        make=two_seeds,
    ),
    *[_growing(dtype) for dtype in ("uint8", "uint16", "float32")],
    Case("random_walker", {"beta": 130.0}, peer=_skimage_walker, make=two_seeds_at_half_size, dtypes=("uint8", "float32")),
    Case("mask_cutout", {}, raw=_product, peer=_product, make=image_and_mask),
]
