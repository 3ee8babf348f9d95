"""Model files: a card and arrays in the safetensors layout, written and read without pickle.

Eight bytes with the length of a JSON header, the header, then the arrays one after the other. The header names type, shape and
place of every array; the card is its metadata, with a checksum of everything.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import TrainedModel
from napari_lightbox.errors import ReadError, WriteError

SUFFIX = ".safetensors"

_TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U64": "<u8", "U8": "|u1"}
_LARGEST_HEADER = 1 << 24
_WAY_OUT = "Give a model file written by napari-lightbox, or train the model again"


def write_model(path: str | Path, model: TrainedModel) -> Path:
    """Write a model; what was there before is replaced only once the new file is complete.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    path = Path(path)
    data = _encoded(model)
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        try:
            fresh.write_bytes(data)
            fresh.replace(path)
        except BaseException:
            with suppress(OSError):
                fresh.unlink()
            raise
    except (OSError, ValueError) as error:
        raise WriteError(str(path), f"cannot be written ({error})", "Choose another folder or free some space") from error
    return path


def read_model(path: str | Path) -> TrainedModel:
    """Return the model in a file.

    Raises
    ------
    ReadError
        No such file, not a model, cut short or changed since it was written.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Give the path of a model file") from error
    try:
        return _decoded(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ReadError(str(path), f"is no intact model file ({error})", _WAY_OUT) from error


def _encoded(model: TrainedModel) -> bytes:
    names = {np.dtype(kind): name for name, kind in _TYPES.items()}
    body, header = bytearray(), {}
    for name, array in model.arrays.items():
        values = np.ascontiguousarray(array)
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        start = len(body)
        body += values.tobytes()
        header[name] = {"dtype": names[values.dtype], "shape": list(values.shape), "data_offsets": [start, len(body)]}
    card = json.dumps(model.card)
    about = {"card": card, "sha256": _checksum(card, header, body)}
    text = json.dumps({"__metadata__": about, **header}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(body)


def _decoded(data: bytes) -> TrainedModel:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(_LARGEST_HEADER, len(data) - 8):
        raise ValueError("the header is missing or cut short")
    header = json.loads(data[8 : 8 + length])
    about = header.pop("__metadata__")
    body = memoryview(data)[8 + length :]
    if _checksum(about["card"], header, body) != about["sha256"]:
        raise ValueError("it is cut short or was changed")
    card = json.loads(about["card"])
    if not isinstance(card, dict):
        raise TypeError("the card is no list of entries")
    return TrainedModel(card, {name: _array(entry, body) for name, entry in header.items()})


def _checksum(card: str, entries: Mapping[str, Any], body: bytes | bytearray | memoryview) -> str:
    digest = hashlib.sha256(json.dumps([card, entries], sort_keys=True).encode())
    digest.update(body)
    return digest.hexdigest()


def _array(entry: Mapping[str, Any], body: memoryview) -> NDArray[Any]:
    kind = np.dtype(_TYPES[entry["dtype"]])
    shape, (start, stop) = entry["shape"], entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, start, stop)):
        raise ValueError("a shape or a place is no whole number")
    if not start <= stop <= len(body) or stop - start != prod(shape) * kind.itemsize:
        raise ValueError("an array does not fit into the file")
    array = np.frombuffer(body[start:stop], kind).reshape(shape)
    return array.astype(kind.newbyteorder("="))
