"""Fitting inputs for the example picture of a technique, by family and role."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.contract import Technique
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.samples import brain_mri, cells, moving_objects, picture, thorax_ct
from napari_lightbox.samples.bodies import Phantom

if TYPE_CHECKING:
    from napari_lightbox.contract.signature import InputSpec

# Family or technique id -> sample of the first input; "cells" is the fallback, because it comes with labels.
FITTING = {
    "color_geometry": "coffee",
    "denoise": "noisy_brain",
    "edges": "coins",
    "inpaint": "scratched",
    "intensity": "moon",
    "learned": "cells",
    "mosaic": "camera",
    "registration": "brain",
    "restore": "blurred",
    "wiener_deconvolution": "clock",
    "threshold": "coins",
    "threshold_local": "page",
    "threshold_niblack": "page",
    "threshold_sauvola": "page",
    "threshold_local_otsu": "page",
    "threshold_hounsfield": "chest",
    "segment_classical": "coins",
    "video": "video",
}
# Settings under which the effect is easy to see; everything else runs with its defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "gaussian_blur": {"sigma": 3.0},
    "mean_filter": {"size": 7},
    "median_filter": {"size": 5},
    "non_local_means": {"h": 60.0},
    "tv_chambolle": {"weight": 60.0},
    "random_walker": {"intensity_range": 1000.0, "beta": 400.0},
    "threshold_manual": {"threshold": 120.0},
    "threshold_band": {"lower": 90.0, "upper": 160.0},
    "wiener_deconvolution": {"length": 18, "angle": 0.0, "snr_db": 30.0},
}


def inputs_for(technique: Technique) -> list[Volume | None]:
    """Return one Volume per declared input; None for an optional one that has no natural example."""
    fitting = FITTING.get(technique.id) or FITTING.get(technique.family)
    if isinstance(technique.locality, SequenceLocality):
        name = "video"
    elif any(i.role.name in ("seeds", "labels") for i in technique.inputs):
        name = "cells"
    else:
        name = fitting or ("coffee" if technique.channels == "rgb" else "cells")
    if 2 not in technique.spatial and name != "video":
        name += "_3d"
    example = _example(name)
    first = technique.inputs[0]
    return [_input(spec, example, first=spec is first) for spec in technique.inputs]


@cache
def _example(name: str) -> Phantom:
    """Return an image with labels of some of its objects."""
    if name == "video":
        return moving_objects(frames=30)
    if name == "cells_3d":
        return cells((24, 96, 96), count=25)
    if name.endswith("_3d"):
        return _crop_volume(brain_mri((4, 2, 2)))
    if name == "cells":
        return cells((200, 260), count=55, seed=3)
    if name in _SLICES:
        return _slice(_SLICES[name]())
    image = picture({"blurred": "camera", "scratched": "camera"}.get(name, name))[0]
    pixels = np.array(image.data[:300, :420])
    labels = np.zeros(pixels.shape[:2], np.int32)
    labels[60:66, 40:220], labels[150:230, 260:266], labels[200:204, 30:240] = 1, 2, 3
    if name == "blurred":
        pixels = ndimage.gaussian_filter(pixels.astype(np.float32), 2.0)
    if name == "scratched":
        pixels[labels > 0] = 255
    image = image.with_data(pixels, geometry=_flat(pixels.shape))
    return Phantom(image, Volume(labels, _flat(labels.shape), role="labels", name="labels"))


_SLICES = {
    "brain": lambda: brain_mri((3, 1, 1)),
    "noisy_brain": lambda: brain_mri((3, 1, 1), noise=70),
    "chest": lambda: thorax_ct((5, 1.5, 1.5)),
}


def _flat(shape: tuple[int, ...]) -> Geometry:
    return Geometry.of("yxc"[: len(shape)], shape)


def _slice(phantom: Phantom) -> Phantom:
    """Return the plane of a volume that shows most of the tumour."""
    labels = phantom.labels.data
    best = int(np.argmax((labels == labels.max()).sum(axis=(1, 2))))
    geometry = phantom.image.geometry.select("yx")
    image = phantom.image.with_data(np.ascontiguousarray(phantom.image.data[best]), geometry=geometry)
    return Phantom(image, phantom.labels.with_data(np.ascontiguousarray(labels[best]), geometry=geometry))


def _crop_volume(phantom: Phantom) -> Phantom:
    box = tuple(slice(n // 5, n - n // 5) for n in phantom.image.shape)
    geometry = phantom.image.geometry.crop([s.start for s in box], [s.stop - s.start for s in box])
    cut = [v.with_data(np.ascontiguousarray(v.data[box]), geometry=geometry) for v in phantom]
    return Phantom(*cut)


def _input(spec: InputSpec, example: Phantom, *, first: bool) -> Any:
    labels = example.labels
    if spec.role.many:
        return _overlapping(example.image)
    if first:
        return _mask(labels) if spec.role.name == "mask" else labels if spec.role.name in LABEL_ROLES else example.image
    if spec.optional and spec.role.name != "seeds":
        return None
    if spec.role.name == "model":
        return _model()
    if spec.name == "template":
        return _darker(example.image)
    if "psf" in spec.name:
        return _psf(example.image)
    by_role = {"seeds": _seeds, "mask": _mask, "labels": _same}
    if spec.role.name in by_role:
        return by_role[spec.role.name](labels)
    if spec.role.name in ("image", "image_or_labels"):
        return _moved(example.image)
    return None


@cache
def _model() -> str:
    """Return a U-Net that has learned for some seconds to find nuclei in other pictures."""
    from napari_lightbox.models.train.settings import TrainSettings
    from napari_lightbox.models.train.unet import train_unet

    folder = Path(tempfile.mkdtemp(prefix="lightbox-docs-")) / "nuclei"
    options = TrainSettings(levels=3, width=8, patch=64, epochs=8, steps=12, merge=True)
    pairs = [tuple(cells((128, 128), count=22, seed=seed)) for seed in (11, 12)]
    return str(train_unet(pairs, options, name="nuclei", folder=folder).folder)


def _same(labels: Volume) -> Volume:
    return labels


def _mask(labels: Volume) -> Volume:
    return labels.with_data((labels.data > 0).astype(np.int32))


def _seeds(labels: Volume) -> Volume:
    """Return a small piece of every object, and the far background as one more label."""
    inside = ndimage.distance_transform_edt(labels.data > 0)
    outside = ndimage.distance_transform_edt(labels.data == 0)
    seeds = np.where(inside > 0.5 * inside.max(), labels.data, 0)
    seeds[outside > 0.6 * outside.max()] = labels.data.max() + 1
    return labels.with_data(seeds.astype(np.int32), name="seeds")


def _moved(image: Volume) -> Volume:
    """Return the image shifted by a few pixels and a little brighter."""
    moved = np.roll(image.data, (5, 8), axis=(image.axes.index("y"), image.axes.index("x")))
    return image.with_data(moved, name="second image")


def _overlapping(image: Volume) -> list[Volume]:
    """Return the left and the right part of an image, with a third in common."""
    width = image.geometry.length("x")
    axis = image.axes.index("x")
    parts = []
    for start, stop in ((0, 2 * width // 3), (width // 3, width)):
        box = tuple(slice(start, stop) if i == axis else slice(None) for i in range(len(image.shape)))
        data = np.ascontiguousarray(image.data[box])
        parts.append(image.with_data(data, geometry=_flat(data.shape)))
    return parts


def _darker(image: Volume) -> Volume:
    return image.with_data((image.data // 3).astype(image.dtype), name="template")


def _psf(image: Volume) -> Volume:
    ndim = len(image.geometry.spatial)
    grid = np.ogrid[(slice(-7, 8),) * ndim]
    psf = np.exp(-sum((g / 2.0) ** 2 for g in grid) / 2).astype(np.float32)
    return Volume(psf / psf.sum(), Geometry.of("zyx"[3 - ndim :], psf.shape), name="psf")
