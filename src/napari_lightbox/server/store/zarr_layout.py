"""What the metadata of a Zarr array (version 2 or 3) say about its chunks, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from napari_lightbox.errors import ReadError, WireError
from napari_lightbox.wire import ArrayCard

PACKERS = ("gzip", "zlib", "zstd", "blosc", "crc32c")
_TYPES = frozenset(
    ["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float16", "float32", "float64"]
) | {"complex64", "complex128"}
_WHOLE_SHARD = 64 * 2**20
_MOST_IN_SHARD = 2**20


@dataclass(frozen=True)
class Coding:
    """How a chunk becomes bytes: axes turned to `order`, values written in `dtype`, then packed one way after another."""

    dtype: str
    order: tuple[int, ...]
    packers: tuple[str, ...]


@dataclass(frozen=True)
class Shards:
    """How chunks lie together in one file with a table of where each begins."""

    inner: tuple[int, ...]
    coding: Coding
    checked: bool
    at_end: bool


@dataclass(frozen=True)
class Layout:
    """All that is needed to find and decode chunks.

    Parameters
    ----------
    card
        Type, shape and the blocks to read by: stored chunks, whole shards, or the chunks in large shards.
    stored
        Lengths of a stored file: a chunk or a shard.
    coding
        How it becomes bytes; None where `shards` say it.
    fill
        The value of what is not stored, as bytes of one element.
    prefix, separator
        How files are named: the prefix, then the numbers with separators.
    names
        Names of the axes, where they have any.
    """

    card: ArrayCard
    stored: tuple[int, ...]
    coding: Coding | None
    shards: Shards | None
    fill: bytes
    prefix: str
    separator: str
    names: tuple[str, ...]

    def key(self, index: Sequence[int]) -> str:
        """Return the name of a stored file."""
        numbers = [*([self.prefix] if self.prefix else []), *map(str, index)]
        return self.separator.join(numbers) or "0"


def layout_of(name: str, document: Mapping[str, Any]) -> Layout:
    """Return the layout that the metadata of an array describe.

    Raises
    ------
    ReadError
        They are damaged, or ask for something that is not supported.
    """
    try:
        return _version_3(name, document) if document.get("zarr_format") == 3 else _version_2(name, document)
    except WireError as error:
        raise ReadError(name, f"its array {error.reason}", error.way_out) from error
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as error:
        raise ReadError(name, f"has damaged metadata ({type(error).__name__})", "Copy it again from its source") from error


def _version_2(name: str, told: Mapping[str, Any]) -> Layout:
    if told["zarr_format"] != 2:
        raise _not_supported(name, f"Zarr version {told['zarr_format']}")
    if told.get("filters"):
        raise _not_supported(name, "filters")
    stored, chunks = np.dtype(str(told["dtype"])), _lengths(told["chunks"])
    packer = told.get("compressor")
    order = tuple(range(len(chunks)))
    coding = Coding(
        stored.str, order[::-1] if told["order"] == "F" else order, () if packer is None else (_packer(name, packer["id"]),)
    )
    card = _card(stored, told["shape"], chunks)
    separator = _separator(told.get("dimension_separator") or ".")
    return Layout(card, chunks, coding, None, _fill(told.get("fill_value"), card.kind), "", separator, ())


def _version_3(name: str, told: Mapping[str, Any]) -> Layout:
    if told["data_type"] not in _TYPES:
        raise _not_supported(name, f"the type {str(told['data_type'])[:40]}")
    if told["chunk_grid"]["name"] != "regular" or told.get("storage_transformers"):
        raise _not_supported(name, "an irregular grid or a storage transformer")
    kind, stored = np.dtype(told["data_type"]), _lengths(told["chunk_grid"]["configuration"]["chunk_shape"])
    names = tuple(str(n) for n in told.get("dimension_names") or ())
    naming = told["chunk_key_encoding"]
    scheme, options = (naming, {}) if isinstance(naming, str) else (naming["name"], naming.get("configuration") or {})
    if scheme not in ("default", "v2"):
        raise _not_supported(name, f"the chunk names {str(scheme)[:40]}")
    prefix, usual = ("c", "/") if scheme == "default" else ("", ".")
    coding, shards = _codings(name, told["codecs"], kind, len(stored))
    if shards is not None:
        _check_shards(stored, shards.inner)
    large = shards is not None and prod(stored) * kind.itemsize > _WHOLE_SHARD
    card = _card(kind, told["shape"], shards.inner if shards is not None and large else stored)
    separator = _separator(options.get("separator", usual))
    return Layout(card, stored, coding, shards, _fill(told["fill_value"], card.kind), prefix, separator, names)


def _codings(name: str, codecs: Sequence[Any], kind: np.dtype[Any], ndim: int) -> tuple[Coding | None, Shards | None]:
    if len(codecs) == 1 and codecs[0]["name"] == "sharding_indexed":
        told = codecs[0]["configuration"]
        coding = _coding(name, told["codecs"], kind, ndim)
        index = _coding(name, told["index_codecs"], np.dtype("u8"), ndim + 1)
        if index.packers not in ((), ("crc32c",)) or index.dtype != "<u8" or index.order != tuple(range(ndim + 1)):
            raise _not_supported(name, "an index of shards that is packed")
        at_end = {"end": True, "start": False}[told.get("index_location", "end")]
        return None, Shards(_lengths(told["chunk_shape"]), coding, bool(index.packers), at_end)
    return _coding(name, codecs, kind, ndim), None


def _coding(name: str, codecs: Sequence[Any], kind: np.dtype[Any], ndim: int) -> Coding:
    order, steps = tuple(range(ndim)), list(codecs)
    while steps and steps[0]["name"] == "transpose":
        turn = tuple(steps.pop(0)["configuration"]["order"])
        if sorted(turn) != list(range(ndim)):
            raise ValueError(turn)
        order = tuple(order[i] for i in turn)
    if not steps or steps[0]["name"] != "bytes":
        raise _not_supported(name, f"the coding {str(steps[0]['name'])[:40]}" if steps else "no coding")
    endian = (steps[0].get("configuration") or {}).get("endian", "little")
    packers = tuple(_packer(name, step["name"]) for step in steps[1:])
    if endian not in ("little", "big"):
        raise ValueError(endian)
    return Coding(kind.newbyteorder("<" if endian == "little" else ">").str, order, packers)


def _packer(name: str, packer: Any) -> str:
    if packer not in PACKERS:
        raise _not_supported(name, f"the compression {str(packer)[:40]}")
    return str(packer)


def _card(kind: np.dtype[Any], shape: Any, chunks: tuple[int, ...]) -> ArrayCard:
    return ArrayCard(kind.newbyteorder("<").str, _lengths(shape), chunks)


def _lengths(values: Any) -> tuple[int, ...]:
    if not all(type(n) is int for n in values):
        raise TypeError(values)
    return tuple(values)


def _check_shards(stored: tuple[int, ...], inner: tuple[int, ...]) -> None:
    fits = all(i > 0 and n % i == 0 for n, i in zip(stored, inner, strict=True))
    if not fits or prod(stored) // max(prod(inner), 1) > _MOST_IN_SHARD:
        raise ValueError(inner)


def _separator(text: Any) -> str:
    if text not in (".", "/"):
        raise ValueError(text)
    return str(text)


def _fill(value: Any, kind: np.dtype[Any]) -> bytes:
    if kind.kind == "c" and isinstance(value, list):
        half = np.dtype(f"<f{kind.itemsize // 2}")
        return b"".join(_fill(part, half) for part in value[:2])
    if isinstance(value, str) and value.startswith("0x"):
        content = bytes.fromhex(value[2:])[::-1]
        return content.ljust(kind.itemsize, b"\0")[: kind.itemsize]
    number = 0 if value is None else float(value) if isinstance(value, str) else value
    return np.array(number).astype(kind, casting="unsafe").tobytes()


def _not_supported(name: str, what: str) -> ReadError:
    return ReadError(name, f"uses {what}, which the server does not read", "Convert it to OME-Zarr with Zstandard or Blosc")
