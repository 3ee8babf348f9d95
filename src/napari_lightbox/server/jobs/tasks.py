"""What runs on the workers besides techniques: small functions that travel by name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.server.jobs.kept import read_state, write_state, write_values
from napari_lightbox.server.store.placing import place

Index = tuple[int, ...]


def write_unit(targets: Sequence[tuple[Any, Index]], values: Sequence[Any], _before: Sequence[Any] = ()) -> None:
    """Write one block of every output; chunks that are there already stay.

    Parameters
    ----------
    targets
        Array of results and first chunk of each block.
    values
        The blocks.
    """
    for (target, first), block in zip(targets, values, strict=True):
        array, sizes = np.asarray(block), target.card.chunks
        for offset in product(*[range(ceil(n / c)) for n, c in zip(array.shape, sizes, strict=True)]):
            index = tuple(f + o for f, o in zip(first, offset, strict=True))
            if not target.has(index):
                target.write(index, array[tuple(slice(o * c, (o + 1) * c) for o, c in zip(offset, sizes, strict=True))])


def note_values(path: Path, bundle: Sequence[Any], positions: Sequence[int]) -> None:
    """Keep the values among the outputs of a block."""
    write_values(path, [bundle[position] for position in positions])


def keep_state(path: Path, link: Any) -> None:
    """Keep the states after a block of a sequence."""
    write_state(path, link[0])


def recall_state(path: Path) -> Any:
    """Return the states after a block of a sequence, as the block itself would."""
    return read_state(path), None


def keep_array(path: Path, values: Any) -> tuple[Index, str]:
    """Keep a whole array whose shape was not known before, and return shape and type."""
    array = np.asarray(values)
    place(path, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return array.shape, array.dtype.str


def read_kept(path: Path, shape: Index, dtype: str, box: tuple[slice, ...]) -> Any:
    """Return a part of an array that was kept."""
    if 0 in shape:
        return np.empty(shape, dtype)[box]
    return np.array(np.memmap(path, dtype, "r", shape=shape)[box])
