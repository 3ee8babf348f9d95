"""MetaImage: a text header with its samples inside (.mha) or in a file beside it (.mhd with .raw)."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.axes.affine import directions_of
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.detached import replacing_pair
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Frames, Held, Raw, Source, lazy, plane_chunks
from napari_lightbox.io.note import from_text, note_of, restored, to_text
from napari_lightbox.io.streaming import PACKING_LEVEL, Progress, feed, write_raw
from napari_lightbox.io.world import Matrix, affine_from_parts, arranged, flipped_order

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_NAMES = {np.dtype(v): k for k, v in _TYPES.items() if k not in ("MET_LONG", "MET_ULONG")}
_EXACT = {"bool": "uint8", "float16": "float32"}
_HEADER_LIMIT = 2**20
_LETTERS = "vurqtzyx"
_NOTE = "NapariLightbox"
Header = Mapping[str, str]


def read(path: Path) -> list[Volume]:
    """Read an image lazily; compressed samples are unpacked at the first touch."""
    with reading(path):
        header, offset = _header(path)
        sizes = tuple(int(n) for n in reversed(header["DimSize"].split()))
        channels = int(header.get("ElementNumberOfChannels", "1"))
        stored = _stored_type(path, header)
    axes = _LETTERS[-len(sizes) :]
    shape = sizes
    if channels > 1:
        axes, shape = axes + "c", (*sizes, channels)
    source = _source(path, header, offset, shape, stored)
    data = lazy(source, plane_chunks(axes, shape, stored.itemsize), path)
    with reading(path):
        geometry = Geometry(axes, shape, _matrix(header, sizes, channels), _units(axes))
    volume = Volume(data, geometry, {"header": {k: v for k, v in header.items() if k != _NOTE}}, "image", path.stem)
    return [restored(volume, from_text(header.get(_NOTE)), stated="affine")]


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None, compression: bool = False) -> None:
    """Write one volume; without compression it is written block by block."""
    (volume,) = volumes
    stored = _stored_form(path, volume)
    kind = np.dtype(stored.dtype).newbyteorder("<")
    packed = 0 if compression else None

    def header(samples: str) -> bytes:
        return _header_text(stored, volume, samples, packed).encode("latin-1")

    if path.suffix.lower() == ".mhd":
        with replacing_pair(path, ".zraw" if compression else ".raw", header, _old_samples(path)) as samples:
            samples.touch()
            packed = _write_samples(stored.data, samples, 0, kind, compression, progress)
        return
    with replacing(path) as target:
        target.write_bytes(header("LOCAL"))
        packed = _write_samples(stored.data, target, target.stat().st_size, kind, compression, progress)
        with target.open("r+b") as file:
            file.write(header("LOCAL"))


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and where the header ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while line := file.readline(_HEADER_LIMIT):
            key, separator, value = line.decode("latin-1").partition("=")
            if not separator:
                raise damaged(path, "its header has a line without '='")
            fields[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                break
        missing = {"DimSize", "ElementType", "ElementDataFile"} - fields.keys()
        if missing:
            raise damaged(path, f"its header lacks {', '.join(sorted(missing))}")
        return fields, file.tell()


def _stored_type(path: Path, header: Header) -> np.dtype[Any]:
    name = header["ElementType"].removesuffix("_ARRAY")
    if name not in _TYPES:
        raise ReadError(str(path), f"its sample type {name} is not known", "Convert it with the program that wrote it")
    big = _flag(header, "ElementByteOrderMSB") or _flag(header, "BinaryDataByteOrderMSB")
    return np.dtype(_TYPES[name]).newbyteorder(">" if big else "<")


def _flag(header: Header, key: str) -> bool:
    return header.get(key, "False").lower() in ("true", "1", "yes")


def _source(path: Path, header: Header, offset: int, shape: tuple[int, ...], stored: np.dtype[Any]) -> Source:
    files = _sample_files(path, header)
    if not _flag(header, "BinaryData") and "BinaryData" in header:
        raise ReadError(str(path), "its samples are written as text", "Save it again as binary MetaImage")
    if len(files) > 1:
        frame = shape[1:] if len(files) == shape[0] else None
        if frame is None:
            raise damaged(path, f"names {len(files)} sample files for {shape[0]} slices")
        parts = [Raw(f, 0, frame, stored) for f in files]
        return Frames(path, shape[:1], frame, stored, partial(_nth, parts))
    if not files[0].is_file():
        raise ReadError(str(path), f"its samples are missing: {files[0].name}", f"Put {files[0].name} beside it")
    skip = offset if files[0] == path else _skipped(header, files[0], shape, stored)
    if _flag(header, "CompressedData"):
        return Held(files[0], shape, stored, partial(_unpacked, files[0], skip, shape, stored))
    return Raw(files[0], skip, shape, stored)


def _nth(parts: list[Raw], number: int) -> NDArray[Any]:
    return parts[number][...]


def _sample_files(path: Path, header: Header) -> list[Path]:
    words = header["ElementDataFile"].split()
    if words[0].upper() == "LOCAL":
        return [path]
    if words[0].upper() == "LIST":
        lines = path.read_text("latin-1").splitlines()
        begin = next(i for i, line in enumerate(lines) if line.startswith("ElementDataFile"))
        return [path.parent / line.strip() for line in lines[begin + 1 :] if line.strip()]
    if "%" in words[0] and len(words) >= 3:
        first, last, step = int(words[1]), int(words[2]), int(words[3]) if len(words) > 3 else 1
        return [path.parent / (words[0] % n) for n in range(first, last + 1, step)]
    return [path.parent / header["ElementDataFile"]]


def _skipped(header: Header, file: Path, shape: tuple[int, ...], stored: np.dtype[Any]) -> int:
    """Return the size of a foreign header before the samples; -1 in the file means that samples end the file."""
    size = int(header.get("HeaderSize", "0"))
    return size if size >= 0 else file.stat().st_size - math.prod(shape) * stored.itemsize


def _unpacked(path: Path, offset: int, shape: tuple[int, ...], stored: np.dtype[Any]) -> NDArray[Any]:
    with path.open("rb") as file:
        file.seek(offset)
        return np.frombuffer(zlib.decompress(file.read(), wbits=47), stored).reshape(shape)


def _matrix(header: Header, sizes: tuple[int, ...], channels: int) -> Matrix:
    """Return the matrix in our axis order; the header lists axis directions one after another."""
    count = len(sizes)
    directions = _numbers(header, ("TransformMatrix", "Rotation", "Orientation"), np.eye(count).ravel()).reshape(count, count).T
    spacing = _numbers(header, ("ElementSpacing", "ElementSize"), np.ones(count))
    origin = _numbers(header, ("Offset", "Position", "Origin"), np.zeros(count))
    matrix = flipped_order(affine_from_parts(spacing, origin, directions))
    if channels == 1:
        return matrix
    grown = np.eye(count + 2)
    grown[:count, :count], grown[:count, -1] = matrix[:-1, :-1], matrix[:-1, -1]
    return grown


def _numbers(header: Header, keys: tuple[str, ...], default: NDArray[np.float64]) -> NDArray[np.float64]:
    text = next((header[k] for k in keys if k in header), None)
    return default if text is None else np.array([float(v) for v in re.split(r"[\s,]+", text)])


def _units(axes: str) -> tuple[str, ...]:
    return tuple("mm" if a in "zyx" else "pixel" for a in axes)


def _stored_form(path: Path, volume: Volume) -> Volume:
    exact = _EXACT.get(str(volume.dtype))
    if exact is None and np.dtype(volume.dtype).newbyteorder("=") not in _NAMES:
        raise WriteError(str(path), f"MetaImage does not hold {volume.dtype} samples", "Write OME-Zarr, or convert it first")
    if "c" in volume.axes and len(volume.axes) == 1:
        raise WriteError(str(path), "MetaImage needs an axis besides channels", "Write a table instead")
    stored = arranged(volume, "tzyxc")
    return stored.with_data(stored.data.astype(exact)) if exact else stored


def _header_text(stored: Volume, volume: Volume, samples: str, packed: int | None) -> str:
    """Return the header; `packed` is the length of compressed samples, written at a fixed width so that it can be filled in."""
    colour = stored.axes.endswith("c")
    geometry = stored.geometry.without("c") if colour else stored.geometry
    matrix = flipped_order(geometry.affine)
    letters = _LETTERS[-geometry.ndim :] + ("c" if colour else "")
    note = to_text(note_of(stored, volume.axes, stored=letters, dtype=_EXACT.get(str(volume.dtype)) and str(volume.dtype)))
    fields = {
        "ObjectType": "Image", "NDims": str(geometry.ndim), _NOTE: note,
        "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": str(packed is not None),
        "CompressedDataSize": None if packed is None else f"{packed:020d}",
        "TransformMatrix": _joined(directions_of(matrix).T.ravel()),
        "Offset": _joined(matrix[:-1, -1]), "CenterOfRotation": _joined(np.zeros(geometry.ndim)),
        "ElementSpacing": _joined(reversed(geometry.spacing)), "DimSize": _joined(reversed(geometry.shape)),
        "ElementNumberOfChannels": str(stored.shape[-1]) if colour else None,
        "ElementType": _NAMES[np.dtype(stored.dtype).newbyteorder("=")], "ElementDataFile": samples,
    }  # fmt: skip
    return "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)


def _joined(values: Any) -> str:
    return " ".join(str(v) if isinstance(v, int) else repr(float(v)) for v in values)


def _old_samples(path: Path) -> Path | None:
    """Return the sample file of the header that is about to be replaced."""
    try:
        files = _sample_files(path, _header(path)[0]) if path.is_file() else []
    except (OSError, LookupError, ValueError, ReadError):
        return None
    return files[0] if len(files) == 1 and files[0] != path else None


def _write_samples(
    data: Any, target: Path, offset: int, kind: np.dtype[Any], compression: bool, progress: Progress | None
) -> int | None:
    """Append the samples; return their length when they are compressed."""
    if not compression:
        write_raw(data, target, offset, kind, progress)
        return None
    packer = zlib.compressobj(PACKING_LEVEL)
    with target.open("ab") as file:
        feed(data, target, kind, lambda part: file.write(packer.compress(part)), progress)
        file.write(packer.flush())
        return file.tell() - offset
