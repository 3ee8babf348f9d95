"""NRRD: a text header with its samples after it (.nrrd) or in a file beside it (.nhdr with .raw)."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.detached import replacing_pair
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Frames, Held, Raw, Source, lazy, plane_chunks
from napari_lightbox.io.note import KEY, from_text, note_of, restored, to_text
from napari_lightbox.io.nrrd_geometry import geometry_of, header_fields
from napari_lightbox.io.streaming import PACKING_LEVEL, Progress, feed, write_raw
from napari_lightbox.io.world import arranged

_SYNONYMS = {
    "i1": "int8, int8_t, signed char",
    "u1": "uint8, uint8_t, uchar, unsigned char",
    "i2": "int16, int16_t, short, short int, signed short, signed short int",
    "u2": "uint16, uint16_t, ushort, unsigned short, unsigned short int",
    "i4": "int32, int32_t, int, signed int",
    "u4": "uint32, uint32_t, uint, unsigned int",
    "i8": "int64, int64_t, longlong, long long, long long int, signed long long, signed long long int",
    "u8": "uint64, uint64_t, ulonglong, unsigned long long, unsigned long long int",
    "f4": "float",
    "f8": "double",
}
_TYPES = {name: code for code, names in _SYNONYMS.items() for name in names.split(", ")}
_NAMES = {np.dtype(code): names.split(", ")[0] for code, names in _SYNONYMS.items()}

_EXACT = {"bool": "uint8", "float16": "float32"}
_UNPACKERS = {"gzip": gzip.decompress, "gz": gzip.decompress, "bzip2": bz2.decompress, "bz2": bz2.decompress}
_TEXT = ("ascii", "text", "txt")
Header = Mapping[str, str]


def read(path: Path) -> list[Volume]:
    """Read an image lazily; packed samples are unpacked at the first touch."""
    with reading(path):
        header, offset = _header(path)
        shape = tuple(int(n) for n in reversed(header["sizes"].split()))
        stored = _stored_type(path, header)
        geometry = geometry_of(header, shape)
    source = _source(path, header, offset, geometry.shape, stored)
    data = lazy(source, plane_chunks(geometry.axes, geometry.shape, stored.itemsize), path)
    volume = Volume(data, geometry, {"header": {k: v for k, v in header.items() if k != KEY}}, "image", path.stem)
    return [restored(volume, from_text(header.get(KEY)), stated="affine")]


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None, compression: bool = False) -> None:
    """Write one volume; without compression it is written block by block."""
    (volume,) = volumes
    exact = _EXACT.get(str(volume.dtype))
    if exact is None and np.dtype(volume.dtype).newbyteorder("=") not in _NAMES:
        raise WriteError(str(path), f"NRRD does not hold {volume.dtype} samples", "Write OME-Zarr, or convert it first")
    stored = arranged(volume, "tzyxc")
    stored = stored.with_data(stored.data.astype(exact)) if exact else stored
    kind = np.dtype(stored.dtype).newbyteorder("<")
    fields = {"type": _NAMES[kind.newbyteorder("=")], **header_fields(stored.geometry)}
    letters = geometry_of(fields, stored.shape).axes
    note = to_text(note_of(stored, volume.axes, stored=letters, dtype=str(volume.dtype) if exact else None))
    fields |= {"endian": "little", "encoding": "gzip" if compression else "raw"}
    if path.suffix.lower() == ".nhdr":

        def named(name: str) -> bytes:
            return _header_text(fields | {"data file": name}, note)

        with replacing_pair(path, ".raw.gz" if compression else ".raw", named, _old_samples(path)) as samples:
            samples.touch()
            _write_samples(stored.data, samples, 0, kind, compression, progress)
        return
    with replacing(path) as target:
        head = _header_text(fields, note)
        target.write_bytes(head)
        _write_samples(stored.data, target, len(head), kind, compression, progress)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return fields, key/value pairs and the position of the first sample."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        file.readline()
        for raw in iter(file.readline, b""):
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                break
            if line.startswith("#"):
                continue
            key, separator, value = re.match(r"([^:]*)(:=|: ?)?(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
            if not separator:
                raise damaged(path, f"its header has a line that cannot be read: {line[:60]!r}")
            fields[key.strip() if separator == ":=" else _plain(key)] = value.strip()
            if _plain(key) == "datafile" and value.strip().upper().startswith("LIST"):
                fields["files"] = file.read().decode("utf-8", "replace")
        missing = {"type", "sizes", "encoding"} - fields.keys()
        if missing:
            raise damaged(path, f"its header lacks {', '.join(sorted(missing))}")
        return fields, file.tell()


def _plain(key: str) -> str:
    return key.strip().lower() if key.strip().lower() not in ("data file", "datafile") else "datafile"


def _stored_type(path: Path, header: Header) -> np.dtype[Any]:
    if header["type"].lower() not in _TYPES:
        raise ReadError(
            str(path), f"its sample type {header['type']!r} is not known", "Convert it with the program that wrote it"
        )
    return np.dtype(_TYPES[header["type"].lower()]).newbyteorder(">" if header.get("endian", "little").lower() == "big" else "<")


def _source(path: Path, header: Header, offset: int, shape: tuple[int, ...], stored: np.dtype[Any]) -> Source:
    files, encoding = _sample_files(path, header), header["encoding"].lower()
    for file in files:
        if not file.is_file():
            raise ReadError(str(path), f"its samples are missing: {file.name}", f"Put {file.name} beside it")
    start = offset if files[0] == path else 0
    line_skip, byte_skip = (int(header.get(k, header.get(k.replace(" ", ""), "0"))) for k in ("line skip", "byte skip"))
    if len(files) > 1:
        if len(files) != shape[0] or encoding != "raw":
            raise ReadError(
                str(path), f"names {len(files)} sample files in an arrangement that is not supported", "Save it as one file"
            )
        parts = [Raw(f, max(byte_skip, 0), shape[1:], stored) for f in files]
        return Frames(path, shape[:1], shape[1:], stored, partial(_nth, parts))
    if encoding == "raw" and line_skip == 0:
        size = int(np.prod(shape, dtype=np.int64)) * stored.itemsize
        return Raw(files[0], files[0].stat().st_size - size if byte_skip == -1 else start + byte_skip, shape, stored)
    if encoding not in ("raw", *_TEXT, *_UNPACKERS):
        raise ReadError(str(path), f"its encoding {encoding!r} is not supported", "Save it again as raw or gzip")
    return Held(files[0], shape, stored, partial(_decoded, files[0], start, (encoding, line_skip, byte_skip), shape, stored))


def _nth(parts: list[Raw], number: int) -> NDArray[Any]:
    return parts[number][...]


def _sample_files(path: Path, header: Header) -> list[Path]:
    if "datafile" not in header:
        return [path]
    words = header["datafile"].split()
    if words[0].upper() == "LIST":
        return [path.parent / line.strip() for line in header.get("files", "").splitlines() if line.strip()]
    if "%" in words[0] and len(words) >= 4:
        first, last, step = (int(w) for w in words[1:4])
        return [path.parent / (words[0] % n) for n in range(first, last + (1 if step > 0 else -1), step)]
    return [path.parent / header["datafile"]]


def _decoded(path: Path, start: int, how: tuple[str, int, int], shape: tuple[int, ...], stored: np.dtype[Any]) -> NDArray[Any]:
    encoding, line_skip, byte_skip = how
    with path.open("rb") as file:
        file.seek(start)
        content = file.read()
    for _ in range(line_skip):
        content = content.partition(b"\n")[2]
    if encoding in _TEXT:
        return np.array(content.replace(b",", b" ").split(), dtype=stored).reshape(shape)
    if encoding in _UNPACKERS:
        content = _UNPACKERS[encoding](content)
    size = int(np.prod(shape, dtype=np.int64)) * stored.itemsize
    content = content[-size:] if byte_skip == -1 else content[byte_skip : byte_skip + size]
    return np.frombuffer(content, stored).reshape(shape)


def _header_text(fields: Header, note: str) -> bytes:
    lines = ["NRRD0005", *(f"{key}: {value}" for key, value in fields.items()), f"{KEY}:={note}", "", ""]
    return "\n".join(lines).encode("ascii")


def _old_samples(path: Path) -> Path | None:
    """Return the sample file of the header that is about to be replaced."""
    try:
        files = _sample_files(path, _header(path)[0]) if path.is_file() else []
    except (OSError, LookupError, ValueError, ReadError):
        return None
    return files[0] if len(files) == 1 and files[0] != path else None


def _write_samples(
    data: Any, target: Path, offset: int, kind: np.dtype[Any], compression: bool, progress: Progress | None
) -> None:
    if not compression:
        write_raw(data, target, offset, kind, progress)
        return
    packer = zlib.compressobj(PACKING_LEVEL, wbits=31)
    with target.open("ab") as file:
        feed(data, target, kind, lambda part: file.write(packer.compress(part)), progress)
        file.write(packer.flush())
