"""NIfTI-1 and NIfTI-2 (.nii, .nii.gz, .hdr/.img pairs) and, for reading, Analyze 7.5."""

from __future__ import annotations

import gzip
import io
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Held, Mapped, Raw, Source, lazy, plane_chunks
from napari_lightbox.io.note import from_text, note_of, restored, to_text
from napari_lightbox.io.rescale import Rescale
from napari_lightbox.io.streaming import PACKING_LEVEL, Progress, feed, write_raw
from napari_lightbox.io.units import short
from napari_lightbox.io.world import arranged, patient_matrix, placed, to_lps, with_axes

_LABEL_INTENT = 1002
_LARGEST_NIFTI_1 = 32767
_EXACT = {"bool": "uint8", "float16": "float32"}
_COLOURS = {
    3: np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]),
    4: np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]),
}


def read(path: Path, *, fourth: Literal["t", "c"] = "t") -> list[Volume]:
    """Read an image lazily; `fourth` says what the fourth dimension is, time or channels."""
    with reading(path):
        image = _opened(path)
        header = image.header
        stored, shape = header.get_data_dtype(), tuple(int(n) for n in reversed(image.shape))
        rescale = _rescale(image.dataobj, stored)
    axes, shape, colour = _axes(shape, stored, fourth)
    source = _source(path, image, shape, stored["R"] if colour else stored)
    if not rescale.trivial:
        source = Mapped(source, rescale, rescale.dtype)
    data = lazy(source, plane_chunks(axes, shape, source.dtype.itemsize), path, fourth)
    geometry = _geometry(image, axes, shape)
    name = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    metadata = {"header": _plain_header(header), "slope": rescale.slope, "intercept": rescale.intercept}
    if "magic" not in header:
        metadata["note"] = "Analyze stores no orientation; the first axis is taken to run from right to left as nibabel does"
    role: Literal["image", "labels"] = "labels" if _is_labels(header) else "image"
    volume = Volume(data, geometry, metadata, role if source.dtype.kind in "iu" else "image", name)
    note = _note(header)
    return [_without_empty(volume) if note is None else restored(volume, note, stated="affine")]


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None) -> None:
    """Write one volume with qform and sform; `.nii` is written block by block, `.nii.gz` slab by slab."""
    (volume,) = volumes
    stored = _stored_form(path, volume)
    header = _header(stored, volume)
    kind = header.get_data_dtype()
    kind = kind["R"] if kind.fields else kind
    with replacing(path) as target:
        if path.name.lower().endswith(".gz"):
            _write_zipped(stored.data, target, header, kind, progress)
        else:
            with target.open("wb") as file:
                header.write_to(file)
            write_raw(stored.data, target, int(header["vox_offset"]), kind, progress)


def _axes(shape: tuple[int, ...], stored: Any, fourth: str) -> tuple[str, tuple[int, ...], bool]:
    letters = ("x", "y", "z", fourth, "c" if fourth == "t" else "t", "q", "r")[: len(shape)]
    axes = "".join(reversed(letters))
    if stored.fields is None:
        return axes, shape, False
    return axes.replace("c", "s") + "c", (*shape, len(stored.fields)), True


def _rescale(proxy: Any, stored: Any) -> Rescale:
    slope, intercept = float(proxy.slope), float(proxy.inter)
    kind = np.dtype(stored)
    if kind.kind not in "iu":
        return Rescale.over(slope, intercept, 0, 0, kind) if kind.fields is None else Rescale(1.0, 0.0, np.dtype(np.uint8))
    return Rescale.over(slope, intercept, np.iinfo(kind).min, np.iinfo(kind).max, kind)


def _opened(path: Path) -> Any:
    """Return nibabel's image; nibabel believes names, so a NIfTI file under another name is opened by its header."""
    import nibabel
    from nibabel.fileholders import FileHolder

    if path.name.lower().removesuffix(".gz").endswith((".nii", ".hdr", ".img")) and path.name.lower().endswith(".gz") == _zipped(
        path
    ):
        return nibabel.load(path)
    with (gzip.open if _zipped(path) else open)(path, "rb") as file:
        head = FileHolder(fileobj=io.BytesIO(file.read(2**20)))
    kind = (
        nibabel.Nifti1Image
        if nibabel.Nifti1Image.header_class.may_contain_header(head.fileobj.getvalue())
        else nibabel.Nifti2Image
    )
    return kind.from_file_map({"header": head, "image": head})


def _zipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _source(path: Path, image: Any, shape: tuple[int, ...], stored: Any) -> Source:
    files = image.file_map
    data_file = Path((files.get("image") or next(iter(files.values()))).filename or path)
    offset = int(image.dataobj.offset)
    if not _zipped(data_file):
        return Raw(data_file, offset, shape, stored)
    _check_zipped(data_file, offset + math.prod(shape) * np.dtype(stored).itemsize)
    return Held(data_file, shape, stored, partial(_unzipped, data_file, offset, shape, np.dtype(stored)))


def _unzipped(path: Path, offset: int, shape: tuple[int, ...], stored: np.dtype[Any]) -> NDArray[Any]:
    with gzip.open(path) as file:
        file.seek(offset)
        content = file.read(math.prod(shape) * stored.itemsize)
    return np.frombuffer(content, stored).reshape(shape)


def _check_zipped(path: Path, size: int) -> None:
    """Notice a cut-off file now: the last four bytes of a whole one are its unpacked length."""
    with reading(path):
        with path.open("rb") as file:
            file.seek(-4, 2)
            if int.from_bytes(file.read(4), "little") == size % 2**32:
                return
        unpacked = 0
        with gzip.open(path) as packed:
            while part := packed.read(2**22):
                unpacked += len(part)
    if unpacked < size:
        raise damaged(path, f"is cut off: it unpacks to {unpacked} bytes, its header promises {size}")


def _geometry(image: Any, axes: str, shape: tuple[int, ...]) -> Geometry:
    header = image.header
    space, time = header.get_xyzt_units() if hasattr(header, "get_xyzt_units") else ("mm", "unknown")
    units = dict.fromkeys("zyx", short(space) if space != "unknown" else "mm")
    zooms = tuple(float(z) for z in header.get_zooms())
    step = zooms[3] if len(zooms) > 3 else 1.0
    begin = float(header["toffset"]) if "toffset" in header else 0.0
    units["t"] = short(time) if time != "unknown" else "pixel"
    return placed(axes, shape, to_lps(np.asarray(image.affine, float), "RAS"), {"t": (step, begin)}, units)


def _without_empty(volume: Volume) -> Volume:
    """Drop a time axis of length one that only makes room for channels."""
    sizes = dict(zip(volume.axes, volume.shape, strict=True))
    return with_axes(volume, volume.axes.replace("t", "")) if sizes.get("t") == 1 and "c" in sizes else volume


def _is_labels(header: Any) -> bool:
    return "intent_code" in header and int(header["intent_code"]) == _LABEL_INTENT


def _note(header: Any) -> dict[str, Any] | None:
    notes = (from_text(e.get_content()) for e in getattr(header, "extensions", ()) if e.get_code() == 6)
    return next((n for n in notes if n), None)


def _plain_header(header: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key in header:
        value = header[key].tolist()
        plain[key] = value.decode("latin-1").rstrip("\0") if isinstance(value, bytes) else value
    return plain


def _stored_form(path: Path, volume: Volume) -> Volume:
    """Return the volume in file order, with the axes that NIfTI needs to keep the others apart."""
    if len(volume.axes) > 7 or "x" not in volume.axes:
        reason = f"NIfTI holds x and up to six more axes, the volume has {volume.axes!r}"
        raise WriteError(str(path), reason, "Select a part, or write OME-Zarr")
    if np.dtype(volume.dtype).kind not in "biufc":
        raise WriteError(str(path), f"NIfTI does not hold {volume.dtype} samples", "Convert it to a numeric dtype first")
    if _is_colour(volume):
        return arranged(volume, "zyxc")
    extra = [a for a in volume.axes if a not in "zyx"]
    needed = "yx" if not extra else "zyx" if extra in ([], ["t"]) else "tzyx"
    full = with_axes(volume, "".join(a for a in needed if a not in volume.axes) + volume.axes)
    stored = arranged(full, "ctzyx")
    exact = _EXACT.get(str(volume.dtype))
    return stored.with_data(stored.data.astype(exact)) if exact else stored


def _is_colour(volume: Volume) -> bool:
    sizes = dict(zip(volume.axes, volume.shape, strict=True))
    return volume.dtype == np.uint8 and sizes.get("c") in _COLOURS and set(volume.axes) <= set("zyxc") and "y" in volume.axes


def _header(stored: Volume, volume: Volume) -> Any:
    import nibabel
    from nibabel.nifti1 import Nifti1Extension

    colour = stored.axes.endswith("c")
    geometry = stored.geometry.without("c") if colour else stored.geometry
    shape = tuple(reversed(geometry.shape))
    large = max(shape, default=0) > _LARGEST_NIFTI_1
    header = (nibabel.Nifti2Header if large else nibabel.Nifti1Header)()
    if not large:
        header["magic"] = b"n+1"
    header.set_data_shape(shape)
    header.set_data_dtype(_COLOURS[stored.shape[-1]] if colour else np.dtype(stored.dtype).newbyteorder("="))
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    _place(header, geometry, volume)
    if volume.role == "labels":
        header.set_intent(_LABEL_INTENT, name=volume.name[:15])
    restored_dtype = str(volume.dtype) if str(volume.dtype) in _EXACT else None
    letters = "xyztcqr"[len(geometry.axes) - 1 :: -1] + ("c" if colour else "")
    note = to_text(note_of(stored, volume.axes, dtype=restored_dtype, stored=letters))
    header.extensions.append(Nifti1Extension("comment", note.encode("ascii")))
    header.set_data_offset(header.single_vox_offset + header.extensions.get_sizeondisk())
    return header


def _place(header: Any, geometry: Geometry, volume: Volume) -> None:
    from nibabel.spatialimages import HeaderDataError

    patient = patient_matrix(geometry)
    world = to_lps(patient, "RAS")
    zooms = (
        *np.linalg.norm(world[:3, :3], axis=0),
        *(geometry.spacing_along(a)[0] for a in reversed(geometry.axes) if a not in "zyx"),
    )
    header.set_zooms(zooms[: len(geometry.axes)])
    code = (
        int(volume.metadata.get("header", {}).get("sform_code", 0) or 1) if isinstance(volume.metadata.get("header"), dict) else 1
    )
    header.set_sform(world, code)
    try:
        header.set_qform(world, code, strip_shears=False)
    except HeaderDataError:
        header["qform_code"] = 0
    units = dict(zip(geometry.axes, geometry.units, strict=True))
    names = {"mm": "mm", "um": "micron", "m": "meter", "s": "sec", "ms": "msec", "us": "usec"}
    header.set_xyzt_units(names.get(units["x"], "unknown"), names.get(units.get("t", ""), "unknown"))
    if "t" in geometry.axes:
        header["toffset"] = geometry.origin[geometry.axes.index("t")]


def _write_zipped(data: Any, target: Path, header: Any, kind: Any, progress: Progress | None) -> None:
    with target.open("wb") as plain, gzip.GzipFile("", "wb", PACKING_LEVEL, plain, mtime=0) as file:
        header.write_to(file)
        feed(data, target, kind, file.write, progress)
