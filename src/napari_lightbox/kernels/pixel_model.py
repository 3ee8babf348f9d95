"""A trained pixel classifier: what it was taught, as a value that goes to a file and back without a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import TrainedModel
from napari_lightbox.errors import InputError, LightboxError, ReadError
from napari_lightbox.kernels.classifier_training import KINDS, Kind
from napari_lightbox.kernels.forest import ARRAYS, LINKS, METHODS, Scorer
from napari_lightbox.kernels.model_file import read_model, write_model
from napari_lightbox.kernels.pixel_features import FeatureSet
from napari_lightbox.kernels.pixel_samples import Samples

TASK = "pixel classification"
VERSION = 1
_SAMPLES = {"ids": "<i8", "keys": "<u8", "cells": "<u8", "rows": "<f4"}
_WAY_OUT = "Give a model that the pixel classifier wrote, or train it again"


@dataclass(frozen=True, eq=False)
class PixelModel:
    """A pixel classifier.

    Parameters
    ----------
    kind
        What was trained.
    features
        What it looks at.
    classes
        The ids it tells apart, ascending.
    scorer
        What it learned.
    samples
        What it learned from; further strokes are added to them.
    """

    kind: Kind
    features: FeatureSet
    classes: tuple[int, ...]
    scorer: Scorer
    samples: Samples

    def save(self, path: str | Path) -> Path:
        """Write the model to a file.

        Raises
        ------
        WriteError
            The file cannot be written.
        """
        return write_model(path, self.to_value())

    def to_value(self) -> TrainedModel:
        """Return the model as a card and arrays."""
        about = {**asdict(self.features), "names": self.features.names}
        card = {
            "task": TASK,
            "version": VERSION,
            "kind": self.kind,
            "features": {k: list(v) if isinstance(v, tuple) else v for k, v in about.items()},
            "classes": list(self.classes),
            "method": self.scorer.method,
            "link": self.scorer.link,
            "samples_per_class": self.samples.limit,
        }
        learned = {f"model.{name}": np.asarray(array) for name, array in self.scorer.arrays.items()}
        taught = {f"samples.{name}": np.asarray(getattr(self.samples, name)) for name in _SAMPLES}
        return TrainedModel(card, {**learned, **taught})

    def check_image(self, channels: int, ndim: int) -> None:
        """Raise unless the model fits an image.

        Raises
        ------
        InputError
            Another number of channels or of axes.
        """
        if channels != self.features.channels:
            found = f"has {channels} channel{'s' if channels != 1 else ''}, the model was trained on {self.features.channels}"
            raise InputError("image", found, "Give an image with the same channels, or train a model on this one")
        if ndim != self.features.ndim:
            reason = f"is worked on over {ndim} axes, the model was trained over {self.features.ndim}"
            planes = self.features.ndim == 2
            raise InputError("image", reason, 'Work plane by plane (over="yx")' if planes else "Train a model on planes")


def load_pixel_model(source: str | Path | TrainedModel) -> PixelModel:
    """Return the pixel classifier in a file, or in a value that a run gave.

    Raises
    ------
    ReadError
        No such file, or it does not hold an intact pixel classifier.
    """
    if isinstance(source, TrainedModel):
        return _from_value(source, "model")
    path = Path(source)
    try:
        entry = path.stat()
    except (OSError, ValueError) as error:
        raise ReadError(str(source), f"cannot be read ({error})", "Give the path of a model file") from error
    return _load(str(path), entry.st_mtime_ns, entry.st_size)


@lru_cache(maxsize=8)
def _load(path: str, *state: int) -> PixelModel:  # noqa: ARG001 - part of the key
    """Read a file once as long as its `state` (time of change, size) stays the same."""
    return _from_value(read_model(path), path)


def _from_value(value: TrainedModel, name: str) -> PixelModel:
    card = value.card
    if card.get("task") != TASK:
        raise ReadError(name, f"is a model for {card.get('task', 'something else')}, not for {TASK}", _WAY_OUT)
    if card.get("version") != VERSION:
        found = f"has version {card.get('version')}, this napari-lightbox reads {VERSION}"
        raise ReadError(name, found, "Update napari-lightbox, or train the model again")
    try:
        return _checked(card, value.arrays)
    except (LightboxError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ReadError(name, f"does not hold an intact pixel classifier ({error})", _WAY_OUT) from error


def _checked(card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PixelModel:
    entry = card["features"]
    features = FeatureSet(
        tuple(entry["groups"]),
        tuple(float(s) for s in entry["sigmas"]),
        entry["unit"],
        _whole(entry["ndim"], 2, 3),
        _whole(entry["channels"], 1, 1 << 16),
        entry["colour"],
    )
    classes = tuple(_whole(c, 1, (1 << 31) - 1) for c in card["classes"])
    _expect(card["kind"] in KINDS and card["method"] in METHODS and card["link"] in LINKS, "an unknown kind of model")
    _expect(len(classes) >= 2 and list(classes) == sorted(set(classes)), "classes that are not ascending")
    learned = {}
    for name, (kind, ndim) in ARRAYS[card["method"]].items():
        learned[name] = _array(arrays, f"model.{name}", kind, ndim)
    _check_scorer(card["method"], learned, len(features.names), len(classes))
    parts = {name: _array(arrays, f"samples.{name}", kind) for name, kind in _SAMPLES.items()}
    samples = Samples(features=features, limit=_whole(card["samples_per_class"], 1, 1 << 31), **parts)
    number = len(samples.ids)
    shapes = [samples.ids.shape, samples.keys.shape, samples.cells.shape, samples.rows.shape]
    _expect(shapes == [(number,), (number, 2), (number,), (number, len(features.names))], "samples of unequal length")
    _expect(set(samples.classes) <= set(classes) and bool(np.isfinite(samples.rows).all()), "samples of unknown classes")
    return PixelModel(card["kind"], features, classes, Scorer(card["method"], card["link"], learned), samples)


def _array(arrays: Mapping[str, NDArray[Any]], name: str, kind: str, ndim: int | None = None) -> NDArray[Any]:
    array = arrays[name]
    _expect(array.dtype == np.dtype(kind) and ndim in (None, array.ndim), f"{name} of another type")
    return array


def _whole(value: Any, low: int, high: int) -> int:
    _expect(type(value) is int and low <= value <= high, f"{value!r} out of range")
    return int(value)


def _check_scorer(method: str, arrays: Mapping[str, NDArray[Any]], features: int, classes: int) -> None:
    """Raise unless the compiled functions can run on the arrays: they check nothing themselves."""
    a = arrays
    _expect(all(bool(np.isfinite(v).all()) for v in a.values()), "values that are no numbers")
    if method == "forest":
        nodes, here = len(a["split"]), np.arange(len(a["split"]))
        _expect(len(a["threshold"]) == len(a["left"]) == len(a["values"]) == nodes > 0, "nodes of unequal length")
        inside = a["left"] > 0
        _expect(bool((a["left"][inside] > here[inside]).all() and (a["left"] >= 0).all()), "a tree that does not end")
        _expect(bool((a["left"][inside] < nodes - 1).all()), "a tree that leads nowhere")
        _expect(bool(((a["split"] >= 0) & (a["split"] < features)).all()), "a feature that does not exist")
        _expect(len(a["roots"]) > 0 and bool(((a["roots"] >= 0) & (a["roots"] < nodes)).all()), "a root that does not exist")
        _expect(a["values"].shape[1] == classes, "another number of classes")
    elif method == "bayes":
        shapes = [a["means"].shape, a["precisions"].shape, a["offsets"].shape]
        _expect(shapes == [(classes, features), (classes, features), (classes,)], "another number of classes or features")
    else:
        points = a["points"]
        _expect(points.shape[0] == len(a["shift"]) == len(a["factor"]) == features, "another number of features")
        _expect(len(a["owners"]) == points.shape[1] > 0 and len(a["weights"]) == classes, "points of unequal length")
        _expect(bool(((a["owners"] >= 0) & (a["owners"] < classes)).all()), "a class that does not exist")
        _expect(len(a["number"]) == 1 and 1 <= int(a["number"][0]) <= points.shape[1], "a wrong number of neighbours")


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise ValueError(otherwise)
