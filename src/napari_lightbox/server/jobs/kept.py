"""Small values in files, between the tasks of a job and across a restart: JSON and plain arrays, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.engine.encoding import decode, encode
from napari_lightbox.errors import ServerError
from napari_lightbox.server.store.placing import place

_TREE = "tree"


class Shelf:
    """Arrays that go with a tree of JSON, under numbers."""

    def __init__(self, arrays: list[NDArray[Any]] | None = None) -> None:
        self.arrays = arrays or []

    def put(self, array: Any) -> str:
        """Keep an array and return its number."""
        values = np.asarray(array)
        if values.dtype.hasobject:
            raise ServerError("value", "holds Python objects", "Report it to whoever maintains the technique")
        self.arrays.append(values)
        return str(len(self.arrays) - 1)

    def get(self, number: str) -> NDArray[Any]:
        """Return an array."""
        return self.arrays[int(number)]


def write_values(path: Path, values: Any) -> None:
    """Write what a technique gives besides arrays, or a list of such values."""
    shelf = Shelf()
    _write(path, encode(values, shelf.put), shelf)


def read_values(path: Path) -> Any:
    """Return what `write_values` wrote."""
    tree, shelf = _read(path)
    return decode(tree, shelf.get)


def write_state(path: Path, state: Any) -> None:
    """Write the states of a sequence: arrays, and dictionaries, lists and tuples of them."""
    shelf = Shelf()
    _write(path, _flat(state, shelf.put), shelf)


def read_state(path: Path) -> Any:
    """Return what `write_state` wrote."""
    tree, shelf = _read(path)
    return _deep(tree, shelf)


def _write(path: Path, tree: Any, shelf: Shelf) -> None:
    buffer = BytesIO()
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    np.savez(buffer, **{_TREE: text}, **{f"a{n}": array for n, array in enumerate(shelf.arrays)})  # type: ignore[arg-type]
    place(path, buffer.getbuffer())


def _read(path: Path) -> tuple[Any, Shelf]:
    with np.load(path, allow_pickle=False) as file:
        tree = json.loads(file[_TREE].tobytes())
        return tree, Shelf([file[f"a{n}"] for n in range(len(file.files) - 1)])


def _flat(value: Any, put: Callable[[Any], str]) -> Any:
    if isinstance(value, dict):
        return {"d": [[_flat(k, put), _flat(v, put)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"t" if isinstance(value, tuple) else "l": [_flat(v, put) for v in value]}
    if isinstance(value, np.ndarray):
        return {"a": put(value)}
    if isinstance(value, np.generic):
        return {"g": put(value)}
    return {"v": value}


def _deep(tree: Any, shelf: Shelf) -> Any:
    ((kind, value),) = tree.items()
    if kind == "d":
        return {_deep(k, shelf): _deep(v, shelf) for k, v in value}
    if kind in "tl":
        items = [_deep(v, shelf) for v in value]
        return tuple(items) if kind == "t" else items
    if kind in "ag":
        array = shelf.get(value)
        return array if kind == "a" else array[()]
    return value
