"""Train a pixel classifier on painted pixels, of one image or of several, and compare kinds of classifiers."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.classifier_training import KINDS, Kind, train
from napari_lightbox.kernels.forest import Scorer
from napari_lightbox.kernels.pixel_features import Colour, FeatureSet, Unit
from napari_lightbox.kernels.pixel_model import PixelModel
from napari_lightbox.kernels.pixel_samples import Samples, draw_samples, merge_samples

FOLDS = 4
GROUPS_BY_DEFAULT = ("intensity", "gaussian", "gradient", "hessian")
SIGMAS_BY_DEFAULT = (1.0, 2.0, 4.0, 8.0)
_ONE_CLASS = "Paint some pixels of the object with one id and some of the background with another"
_REMEMBERED = 8

_scorers: OrderedDict[str, Scorer] = OrderedDict()
_lock = threading.Lock()


def train_pixel_classifier(
    images: Sequence[Any],
    seeds: Sequence[Any],
    *,
    spacing: Sequence[float] | Sequence[Sequence[float]] | None = None,
    kind: Kind = "random forest",
    features: Sequence[str] = GROUPS_BY_DEFAULT,
    sigmas: Sequence[float] = SIGMAS_BY_DEFAULT,
    unit: Unit = "px",
    colour: Colour = "as is",
    trees: int = 100,
    depth: int | None = None,
    samples: int = 500,
    seed: int = 0,
) -> PixelModel:
    """Return one pixel classifier taught by the scribbles on several images.

    Parameters
    ----------
    images
        Arrays (y, x) or (z, y, x), with channels last where there is one axis more than in the seeds; or Volumes.
    seeds
        One array or Volume of labels per image: ids above 0 are classes.
    spacing
        Distance between samples, for all images or one per image; read from Volumes, else 1.
    kind, features, sigmas, unit, colour, trees, depth, samples, seed
        As the technique ``pixel_classifier`` has them; `features` are names of `pixel_features.GROUPS`.

    Raises
    ------
    InputError
        Images and seeds that do not fit each other, or fewer than two classes.
    """
    if not len(images) or len(images) != len(seeds):
        raise InputError("seeds", f"there are {len(seeds)} for {len(images)} images", "Give one seeds array per image")
    drawn: list[Samples] = []
    for number, (image, painted) in enumerate(zip(images, seeds, strict=True)):
        pixels, marks, steps = _aligned(image, painted, spacing, number)
        channels = pixels.shape[-1] if pixels.ndim > marks.ndim else 1
        chosen = FeatureSet(tuple(features), tuple(map(float, sigmas)), unit, marks.ndim, channels, colour)
        if drawn and drawn[0].features != chosen:
            raise InputError("images", "differ in their channels or number of axes", "Train on images of one kind")
        own = tuple(slice(0, n) for n in marks.shape)
        start = (0,) * marks.ndim
        # the number of the image goes into the draw: the same places in two images are different pixels
        drawn.append(draw_samples(pixels, marks, own, start, marks.shape, chosen, steps, samples, seed + number))
    return fit_model(reduce(merge_samples, drawn), kind, trees, depth, seed)


def _aligned(image: Any, painted: Any, spacing: Any, number: int) -> tuple[NDArray[Any], NDArray[Any], tuple[float, ...]]:
    marks = np.asarray(painted.data if isinstance(painted, Volume) else painted)
    pixels = np.asarray(image.data if isinstance(image, Volume) else image)
    steps: Any = (1.0,) * marks.ndim
    if isinstance(image, Volume):
        steps = image.geometry.spacing_along(image.axes.replace("c", ""))
        if "c" in image.axes:
            pixels = np.moveaxis(pixels, image.axes.index("c"), -1)
    if spacing is not None and len(spacing):
        steps = spacing[number] if isinstance(spacing[0], Sequence) else spacing
    if marks.ndim not in (2, 3) or pixels.shape[: marks.ndim] != marks.shape or pixels.ndim > marks.ndim + 1:
        reason = f"number {number} has shape {marks.shape}, its image {pixels.shape}"
        raise InputError("seeds", reason, "Give each image (y, x) or (z, y, x), channels last, with seeds of the same shape")
    if marks.dtype.kind not in "biu" or len(steps) != marks.ndim:
        raise InputError("seeds", f"number {number} is not made of integers, or the spacing of its image", "Give whole ids")
    return pixels, marks, tuple(map(float, steps))


def fit_model(samples: Samples, kind: Kind, trees: int, depth: int | None, seed: int) -> PixelModel:
    """Return a classifier of these samples; the same samples are not learned twice in a row.

    Raises
    ------
    InputError
        Fewer than two classes, or an id that Labels cannot hold.
    """
    classes = samples.classes
    if len(classes) < 2:
        found = f"hold only the id {classes[0]}" if len(classes) else "hold no painted pixel"
        raise InputError("seeds", found, _ONE_CLASS)
    if classes[-1] >= 1 << 31:
        raise InputError("seeds", f"hold the id {classes[-1]}, which is too large", "Use ids below 2147483648")
    owners = np.searchsorted(classes, samples.ids)
    key = hashlib.blake2b(repr((kind, trees, depth, seed, samples.rows.shape)).encode(), digest_size=20)
    key.update(samples.rows.data)
    key.update(owners.data)
    name = key.hexdigest()
    with _lock:
        scorer = _scorers.get(name)
    if scorer is None:
        scorer = train(kind, samples.rows, owners, trees, depth, seed)
    with _lock:
        _scorers[name] = scorer
        _scorers.move_to_end(name)
        while len(_scorers) > _REMEMBERED:
            _scorers.popitem(last=False)
    return PixelModel(kind, samples.features, tuple(int(c) for c in classes), scorer, samples)


def continued(model: PixelModel, samples: Samples) -> Samples:
    """Return what a model was taught together with new samples."""
    if samples.features != model.features:
        raise InputError("model", "was trained with other features", "Train a new model")
    return merge_samples(samples, model.samples)


def compare_kinds(samples: Samples, trees: int, depth: int | None, seed: int) -> Table:
    """Return how well each kind of classifier does on scribbles it has not seen.

    The pixels of each class are dealt to folds by coarse cells of the image, so that pixels of one spot are either learned
    from or asked about; each fold is asked about once. Three measures: the share of right answers, its mean over the
    classes, and that of the worst class.
    """
    classes = samples.classes
    owners = np.searchsorted(classes, samples.ids)
    folds = _folds(samples, owners)
    columns: dict[str, list[float]] = {"accuracy": [], "balanced accuracy": [], "worst class": []}
    for kind in KINDS:
        right = np.zeros(len(owners), bool)
        for fold in range(FOLDS):
            asked = folds == fold
            if asked.any():
                scorer = train(kind, samples.rows[~asked], owners[~asked], trees, depth, seed)
                right[asked] = scorer.chances(samples.rows[asked], len(classes)).argmax(axis=1) == owners[asked]
        shares = [right[owners == c].mean() for c in range(len(classes))]
        for column, value in zip(columns.values(), (right.mean(), np.mean(shares), min(shares)), strict=True):
            column.append(float(value))
    measured = {name: np.array(values) for name, values in columns.items()}
    return Table({"model": np.array(KINDS), **measured, "pixels": np.full(len(KINDS), len(owners))})


def _folds(samples: Samples, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of each sample; a class that lies in too few cells is dealt pixel by pixel.

    Raises
    ------
    InputError
        A class of which too few pixels are painted to hold any back.
    """
    folds = np.zeros(len(owners), np.int64)
    for c in np.unique(owners):
        members = np.flatnonzero(owners == c)
        if len(members) < 2:
            label = samples.classes[c]
            raise InputError(
                "seeds", f"hold one pixel of id {label}: none can be held back", "Paint more of it, or do not compare"
            )
        cells = np.unique(samples.cells[members], return_inverse=True)[1].ravel()
        folds[members] = (cells if cells.max() > 0 else np.arange(len(members))) % FOLDS
    return folds
