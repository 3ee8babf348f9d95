"""Small layers that can serve as the inputs of any technique."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from napari_lightbox.contract import Technique
from napari_lightbox.contract.signature import InputSpec

FLAT = (40, 44)
DEEP = (8, 40, 44)


def shape_for(technique: Technique) -> tuple[tuple[int, ...], str]:
    """Return shape and axes of a small first input."""
    if technique.over is not None:
        return (DEEP if len(technique.over) == 3 else FLAT), technique.over
    return (DEEP, "zyx") if 3 in technique.spatial else (FLAT, "yx")


def picture(shape: tuple[int, ...], seed: int = 0) -> Any:
    """Return bright blobs on a dark background with noise, uint8."""
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.standard_normal(shape), 3)
    blobs = (blobs - blobs.min()) / np.ptp(blobs)
    return np.clip(blobs * 180 + rng.normal(20, 4, shape), 0, 255).astype(np.uint8)


def add_input(viewer: Any, technique: Technique, spec: InputSpec) -> Any:
    """Add a layer for one input and return it."""
    shape, axes = shape_for(technique)
    role = spec.role.name
    place = {"scale": (2.0, 0.5, 0.5)[-len(shape) :], "translate": (4.0, 1.0, -3.0)[-len(shape) :], "units": ("mm",) * len(shape)}
    place["axis_labels"] = tuple(axes)
    image = picture(shape)
    if role in ("image", "image_or_labels"):
        if "psf" in spec.name or "kernel" in spec.name:
            return viewer.add_image(np.full((3,) * len(shape), 1 / 3 ** len(shape), np.float32), name=spec.name, **place)
        if "template" in spec.name:
            return viewer.add_image(image[tuple(slice(2, 2 + n // 3 + 1) for n in shape)], name=spec.name, **place)
        if technique.channels == "rgb":
            colour = np.stack([image, image[..., ::-1], 255 - image], axis=-1)
            return viewer.add_image(colour, rgb=True, name=spec.name, **place)
        first = spec is technique.inputs[0]
        return viewer.add_image(image if first else np.roll(image, 1, axis=-1), name=spec.name, **place)
    if role == "labels":
        return viewer.add_labels(ndimage.label(image > 120)[0].astype(np.int32), name=spec.name, **place)
    if role == "seeds":
        seeds = np.zeros(shape, np.int32)
        seeds[image > np.percentile(image, 98)] = 1
        seeds[image < np.percentile(image, 2)] = 2
        return viewer.add_labels(seeds, name=spec.name, **place)
    if role == "mask":
        mask = np.zeros(shape, np.int32)
        mask[..., 4:-4, 4:-4] = 1
        return viewer.add_labels(mask, name=spec.name, **place)
    if role == "points":
        rng = np.random.default_rng(1)
        return viewer.add_points(rng.uniform(3, np.array(shape) - 4, (6, len(shape))), name=spec.name, **place)
    if role == "shapes":
        return viewer.add_shapes([np.array([[5, 5], [5, 30], [30, 30], [30, 5]])], shape_type="rectangle", name=spec.name)
    if role == "transform":
        from napari_lightbox.contract.values import Transform

        matrix = np.eye(len(shape) + 1)
        matrix[-2, -1] = 1.0
        return viewer.add_image(image, name=spec.name, metadata={"lightbox": {"transform": Transform(matrix)}}, **place)
    raise NotImplementedError(role)
