"""Classify the pixels of a block by a trained pixel classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.field_cache import cached_fields
from napari_lightbox.kernels.pixel_features import Fields
from napari_lightbox.kernels.pixel_model import PixelModel
from napari_lightbox.kernels.slabs import run_slabs

_PIECE_BYTES = 128_000_000


def classify(
    block: NDArray[Any], inner: tuple[slice, ...], model: PixelModel, spacing: Sequence[float], with_chances: bool = False
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the class of every pixel of a box of a block, and the probability of each class (none unless asked for).

    Parameters
    ----------
    block
        Image over the kernel's axes, channels last; it reaches one radius of the model's features beyond `inner` or to the
        border of the image.
    inner
        Box of the block, slices with a start and a stop.
    """
    shape = tuple(s.stop - s.start for s in inner)
    labels = np.empty(shape, np.int32)
    chances = np.empty((len(model.classes) if with_chances else 0, *shape), np.float32)
    compiled, classes = model.scorer.compiled(), np.array(model.classes, np.int32)
    lead = (1,) * (3 - len(shape))
    found, shares = labels.reshape(lead + shape), chances.reshape(len(chances), *lead, *shape)
    lines = 1 if lead else shape[1]
    for piece in _pieces(inner, model, block.dtype):
        fields = cached_fields(block, piece, model.features, spacing)
        top = (piece[0].start - inner[0].start) * lines
        run = partial(_run, fields, compiled, classes, top, found, shares)
        run_slabs(run, (piece[0].stop - piece[0].start) * lines, 4)
    return labels, chances


def _pieces(inner: tuple[slice, ...], model: PixelModel, dtype: np.dtype[Any]) -> Iterator[tuple[slice, ...]]:
    """Cut a box along its first axis, so that the fields of a piece fit into memory."""
    features = model.features
    products = features.ndim * (features.ndim + 1) // 2 if "structure" in features.groups else 0
    fields = features.planes * (1 + len(features.sigmas) * (1 + products))
    wide = dtype.itemsize >= 4 and dtype != np.float32
    line = prod(s.stop - s.start for s in inner[1:]) * fields * (8 if wide else 4)
    step = max(1, _PIECE_BYTES // max(line, 1))
    for first in range(inner[0].start, inner[0].stop, step):
        yield slice(first, min(first + step, inner[0].stop)), *inner[1:]


def _run(
    fields: Fields,
    compiled: tuple[Any, ...],
    classes: NDArray[np.int32],
    top: int,
    labels: NDArray[np.int32],
    chances: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    from napari_lightbox.kernels.forest_compiled import classify_lines

    given = (fields.data, fields.program, fields.factors, fields.flat, fields.features)
    classify_lines(*given, compiled, classes, top, labels, chances, top + start, top + stop)
