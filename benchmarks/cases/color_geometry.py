"""Colour and geometry beside OpenCV and scikit-image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from skimage import color, transform

from benchmarks.case import Case, noise_image


def colour_image(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return one RGB image."""
    return (np.stack([noise_image(rng, shape, dtype)[0] for _ in range(3)], axis=-1),)


def _shrunk(image: Any) -> Any:
    return transform.rescale(image, 0.25, order=1, preserve_range=True, clip=False, anti_aliasing=True)


def _enlarged(image: Any) -> Any:
    return transform.rescale(image, 2, order=1, preserve_range=True, clip=False)


def _turned(image: Any) -> Any:
    planes = image if image.ndim == 3 else image[np.newaxis]
    return np.stack([transform.rotate(p, 20, order=1, preserve_range=True, clip=False) for p in planes])


def _luma(image: Any) -> Any:
    return cv2.transform(image.astype(np.float32), np.array([[0.2125, 0.7154, 0.0721]], np.float32))


CASES: list[Case] = [
    Case("flip", {"axis": "horizontal"}, raw=lambda a: cv2.flip(a.reshape(-1, a.shape[-1]), 1).reshape(a.shape)),
    Case("rescale", {"scale": 0.25}, peer=_shrunk),
    Case("rescale", {"scale": 2.0}, peer=_enlarged),
    Case("rotate", {"angle": 20.0}, peer=_turned),
    Case("rgb_to_gray", {}, raw=_luma, peer=color.rgb2gray, make=colour_image, dims=(2,), options={"axes": "yxc"}),
    Case(
        "color_space_conversion",
        {"levels": "studio", "rounding": False},
        peer=color.rgb2ycbcr,
        make=colour_image,
        dims=(2,),
        options={"axes": "yxc"},
    ),
    Case("color_space_conversion", {"space": "lab"}, peer=color.rgb2lab, make=colour_image, dims=(2,), options={"axes": "yxc"}),
]
