"""TIFF in its usual flavours: OME-TIFF, ImageJ hyperstacks, plain stacks; pyramids; read lazily."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Volume, check_axes, is_rgb
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Raw, Source, lazy, plane_chunks
from napari_lightbox.io.note import KEY, Stated, note_of, restored, to_text
from napari_lightbox.io.pyramid import halved, with_levels
from napari_lightbox.io.streaming import Progress, in_order, write_raw
from napari_lightbox.io.tiff_chain import check_chain
from napari_lightbox.io.tiff_level import Level
from napari_lightbox.io.tiff_metadata import (
    channel_names,
    geometry_in,
    header_of,
    imagej_fields,
    note_in,
    ome_fields,
    our_axes,
)
from napari_lightbox.io.world import arranged

_TILE, _PYRAMID_FROM, _SMALLEST, _PAGES_AT_ONCE = 512, 4096, 512, 16
_IMAGEJ_LIMIT = 2**32 - 2**20
_OME_TYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64", "complex64", "complex128")
_EXACT = {"bool": "uint8"}
_PREDICTED = ("zlib", "lzw", "zstd", "adobe_deflate")
_EXACT_OME = _EXACT | {"float16": "float32"}


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> list[Volume]:
    """Read every image series lazily, or only number `series`; `axes` overrides what the file says."""
    import tifffile

    with reading(path):
        check_chain(path)
    with reading(path), tifffile.TiffFile(path) as tif:
        numbers = range(len(tif.series)) if series is None else [series]
        if not tif.series or any(not 0 <= n < len(tif.series) for n in numbers):
            raise ReadError(str(path), f"has {len(tif.series)} image series, not one number {series}", "Count from 0")
        return [_volume(path, tif, n, axes) for n in numbers]


def write(
    path: Path,
    volumes: Sequence[Volume],
    *,
    progress: Progress | None = None,
    compression: str | None = None,
    pyramid: bool | None = None,
) -> None:
    """Write one volume.

    `.ome.tif` makes OME-TIFF; `.tif` an ImageJ hyperstack where ImageJ knows the dtype, else a stack with a JSON
    description. `compression` is None or a name such as ``"zlib"``, ``"lzw"``, ``"zstd"``. `pyramid` adds smaller copies; None
    means for OME-TIFF with planes longer than 4096. Without either the file is written block by block.
    """
    (volume,) = volumes
    ome = path.name.lower().endswith((".ome.tif", ".ome.tiff"))
    stored = _stored_form(path, volume, ome)
    colour = stored.axes.endswith("c")
    tiled = pyramid if pyramid is not None else ome and max(stored.shape[-3 if colour else -2 :]) > _PYRAMID_FROM
    letters = _file_letters(path, stored.axes, colour, ome)
    note = note_of(stored, volume.axes, dtype=str(volume.dtype) if stored.dtype != volume.dtype else None)
    note["stored"] = our_axes(letters, stored.shape)[0]
    size = int(np.prod(stored.shape, dtype=np.int64)) * np.dtype(stored.dtype).itemsize
    imagej = not (ome or tiled or compression) and _is_imagej(stored, letters, size)
    fields = _fields(stored, letters, note, volume, "ome" if ome else "imagej" if imagej else "plain")
    fields |= {"photometric": "rgb" if colour else "minisblack"}
    fields |= {"planarconfig": "contig"} if colour else {}
    with replacing(path) as target:
        kind = {"ome": ome, "imagej": imagej, "bigtiff": size > 2**32 - 2**25 and not imagej}
        if tiled or compression:
            _write_packed(stored, target, kind, fields, bool(tiled), compression, volume.role == "labels", progress)
        else:
            _write_plain(stored, target, kind, fields, progress)


def _volume(path: Path, tif: Any, number: int, axes: str | None) -> Volume:
    series = tif.series[number]
    _check_whole(path, tif, series)
    shape = tuple(int(n) for n in series.shape)
    found, guessed = our_axes(series.axes, shape)
    chosen = check_axes(axes, len(shape)) if axes is not None else found
    arrays = [_array(path, tif, series, chosen, number, level) for level in range(len(series.levels))]
    metadata: dict[str, Any] = {"header": header_of(tif)} | ({"axes_guessed": True} if guessed and axes is None else {})
    if names := channel_names(tif, number):
        metadata["channels"] = names
    stem = path.name.removesuffix(path.suffix).removesuffix(".ome")
    name = stem if len(tif.series) == 1 else series.name or f"{stem} {number}"
    volume = Volume(arrays[0], geometry_in(tif, number, chosen, shape), metadata, "image", name)
    stated: Stated = "spacing" if tif.is_ome or tif.is_imagej else "nothing"
    volume = volume if axes is not None else restored(volume, note_in(tif) if number == 0 else None, stated=stated)
    return with_levels(volume, arrays[1:], chosen)


def _array(path: Path, tif: Any, series: Any, axes: str, number: int, level: int) -> Any:
    part = series.levels[level]
    shape, dtype = tuple(int(n) for n in part.shape), np.dtype(part.dtype)
    plain = part.dataoffset is not None and dtype.kind != "b"
    source: Source = (
        Raw(path, int(part.dataoffset), shape, dtype.newbyteorder(tif.byteorder))
        if plain
        else Level(path, number, level, shape, dtype)
    )
    chunks = plane_chunks(axes, shape, dtype.itemsize, None if plain else _PAGES_AT_ONCE)
    page = part.keyframe
    if not plain and page.is_tiled:
        tile = {"y": page.tilelength, "x": page.tilewidth}
        sizes = {a: n * max(1, 1024 // n) for a, n in tile.items()}
        chunks = tuple(min(sizes.get(a, c if a == "c" else 1), n) for a, c, n in zip(axes, chunks, shape, strict=True))
    return lazy(source, chunks, path, number, level)


def _check_whole(path: Path, tif: Any, series: Any) -> None:
    """Notice files that are cut off: their last pages point behind the end."""
    pages = series.pages
    if any(page is None for page in (pages[0], pages[-1])):
        raise ReadError(
            str(path), "its images lie in other files that are missing", "Put all files of the data set into one folder"
        )
    size = tif.filehandle.size
    for page in (pages[0], pages[-1]):
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if max(ends, default=0) > size:
            raise damaged(path, f"is cut off: it has {size} bytes, its pages end at {max(ends)}")


def _stored_form(path: Path, volume: Volume, ome: bool) -> Volume:
    """Return the volume in file order: colour last, other channels before the plane."""
    if not {"y", "x"} <= set(volume.axes):
        raise WriteError(str(path), f"TIFF needs the axes y and x, the volume has {volume.axes!r}", "Write OME-Zarr or a table")
    dtype = np.dtype(volume.dtype)
    if dtype.kind not in "biufc" or (ome and str(dtype.newbyteorder("=")) not in (*_OME_TYPES, *_EXACT_OME)):
        flavour = "OME-TIFF" if ome else "TIFF"
        raise WriteError(
            str(path), f"{flavour} does not hold {dtype} samples", "Write plain .tif or OME-Zarr, or convert it first"
        )
    last = is_rgb(volume.axes, volume.shape) and dtype in (np.uint8, np.uint16)
    stored = arranged(volume, "tzyxc" if last else "tczyx" if ome else "tzcyx")
    exact = (_EXACT_OME if ome else _EXACT).get(str(dtype))
    return stored.with_data(stored.data.astype(exact)) if exact else stored


def _file_letters(path: Path, axes: str, colour: bool, ome: bool) -> str:
    """Return tifffile's letters; OME knows no extra axes, so they borrow the name of a free one."""
    plain = axes[:-1] if colour else axes
    odd = [a for a in plain if a not in "tczyx"]
    free = [a for a in "TZC" if a.lower() not in plain and not (a == "C" and colour)]
    if ome and len(odd) > len(free):
        raise WriteError(str(path), f"OME-TIFF cannot name the axes {axes!r}", "Write plain .tif or OME-Zarr")
    borrowed = dict(zip(odd, free, strict=False)) if len(odd) <= len(free) else {}
    return "".join(borrowed.get(a, a.upper()) for a in plain) + ("S" if colour else "")


def _is_imagej(stored: Volume, letters: str, size: int) -> bool:
    """Tell whether ImageJ knows the axes and the dtype; one pixel wide images confuse its readers."""
    colour = letters.endswith("S")
    known = (np.uint8,) if colour else (np.uint8, np.uint16, np.float32)
    plane = stored.shape[stored.axes.index("y") : stored.axes.index("x") + 1]
    in_its_order = list(letters) == sorted(letters, key="TZCYXS".find) and set(letters) <= set("TZCYXS")
    return in_its_order and min(plane) > 1 and np.dtype(stored.dtype).newbyteorder("=") in known and size < _IMAGEJ_LIMIT


def _fields(stored: Volume, letters: str, note: dict[str, Any], volume: Volume, flavour: str) -> dict[str, Any]:
    if flavour == "imagej":
        return imagej_fields(stored.geometry, letters, to_text(note))
    if flavour == "ome":
        return {"metadata": ome_fields(stored.geometry, letters, to_text(note), volume.name, volume.metadata.get("channels"))}
    return {"metadata": {"axes": letters, KEY: note}}


def _write_plain(stored: Volume, target: Path, kind: dict[str, Any], fields: dict[str, Any], progress: Progress | None) -> None:
    import tifffile

    order = ">" if kind["imagej"] else "<"
    dtype = np.dtype(stored.dtype).newbyteorder(order)
    with tifffile.TiffWriter(target, byteorder=order, **kind) as tif:
        offset, _ = tif.write(None, shape=stored.shape, dtype=dtype, returnoffset=True, **fields)
    write_raw(stored.data, target, int(offset), dtype, progress)


def _write_packed(
    stored: Volume,
    target: Path,
    kind: dict[str, Any],
    fields: dict[str, Any],
    tiled: bool,
    compression: str | None,
    labels: bool,
    progress: Progress | None,
) -> None:
    import tifffile

    leading = stored.axes.index("y")
    plane, dtype = stored.shape[leading:], np.dtype(stored.dtype).newbyteorder("=")
    shrinks = _shrinks(plane) if tiled else 0
    form: dict[str, Any] = {"tile": (_TILE, _TILE)} if tiled else {}
    if compression:
        form |= {"compression": compression, "predictor": dtype.kind in "iu" and compression in _PREDICTED}
    with in_order(stored.data, target) as ordered, tifffile.TiffWriter(target, **kind) as tif:
        for level in range(shrinks + 1):
            size = (*(-(-n // 2**level) for n in plane[:2]), *plane[2:])
            parts = _parts(ordered, leading, level, labels, tiled, (level, shrinks + 1), progress)
            smaller = {k: v for k, v in fields.items() if k != "metadata"} | {"subfiletype": 1}
            extra = fields | {"subifds": shrinks} if level == 0 else smaller
            tif.write(parts, shape=(*stored.shape[:leading], *size), dtype=dtype, **form, **extra)


def _shrinks(plane: tuple[int, ...]) -> int:
    longest, count = max(plane[:2]), 0
    while longest > _SMALLEST:
        longest, count = -(-longest // 2), count + 1
    return max(count, 1)


def _parts(
    ordered: Any, leading: int, level: int, labels: bool, tiled: bool, step: tuple[int, int], progress: Progress | None
) -> Iterator[NDArray[Any]]:
    """Yield the planes of one level, or their tiles."""
    count = int(np.prod(ordered.shape[:leading], dtype=np.int64))
    for number, place in enumerate(np.ndindex(ordered.shape[:leading]), 1):
        plane = np.asarray(ordered[place])
        for _ in range(level):
            plane = halved(plane, (0, 1), labels=labels)
        if not tiled:
            yield np.ascontiguousarray(plane)
        else:
            for y in range(0, plane.shape[0], _TILE):
                for x in range(0, plane.shape[1], _TILE):
                    yield np.ascontiguousarray(plane[y : y + _TILE, x : x + _TILE])
        if progress is not None:
            progress((step[0] + number / count) / step[1])
