"""Inpainting beside OpenCV and scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case, noise_image


def image_with_holes(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return an image and a mask over 2 % of its pixels."""
    return noise_image(rng, shape, dtype)[0], rng.random(shape) < 0.02


def opencv_telea(image: Any, mask: Any) -> Any:
    import cv2

    return cv2.inpaint(image, mask.view(np.uint8), 3, cv2.INPAINT_TELEA)


def skimage_biharmonic(image: Any, mask: Any) -> Any:
    from skimage import restoration

    return restoration.inpaint_biharmonic(image, mask)


CASES: list[Case] = [
    Case("inpaint_telea", raw=opencv_telea, make=image_with_holes, dims=(2,), dtypes=("uint8", "uint16")),
    Case("inpaint_biharmonic", raw=skimage_biharmonic, peer=skimage_biharmonic, make=image_with_holes, dtypes=("float32",)),
]
