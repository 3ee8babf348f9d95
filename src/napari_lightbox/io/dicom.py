"""DICOM: a folder, some files or one file in, one lazy volume per image series out; and one series folder written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError
from napari_lightbox.io.dicom_frames import Loader, sample_shape, stored_dtype, stored_range
from napari_lightbox.io.dicom_headers import Frame, plain_header, read_header
from napari_lightbox.io.dicom_series import Stack, patient_matrix, stacks_of
from napari_lightbox.io.dicom_writer import PRIVATE_GROUP, write
from napari_lightbox.io.failures import reading
from napari_lightbox.io.lazy import Frames, lazy
from napari_lightbox.io.note import KEY, from_text, restored
from napari_lightbox.io.rescale import Rescale
from napari_lightbox.io.signatures import identify, looks_like_bare_dicom
from napari_lightbox.io.world import placed

__all__ = ["read", "write"]


def read(
    path: Path, *, files: Sequence[Path] | None = None, series: str | None = None, strip_patient: bool = False
) -> list[Volume]:
    """Read every image series below a folder, or one file; pixels are read when they are looked at.

    `files` names the files to use, `series` picks one SeriesInstanceUID, `strip_patient` leaves personal
    data out of the metadata.
    """
    candidates = [Path(f) for f in files] if files is not None else _files_below(path) if path.is_dir() else [path]
    datasets: dict[Path, Any] = {}
    frames: list[Frame] = []
    skipped: list[str] = []
    for file in candidates:
        if len(candidates) > 1 and identify(file) != "dicom" and not looks_like_bare_dicom(file):
            skipped.append(f"{file.name}: not DICOM")
            continue
        dataset, found = read_header(file)
        if not found:
            skipped.append(f"{file.name}: holds no image")
        elif series is None or found[0].series == series:
            datasets[file] = dataset
            frames += found
    if not frames:
        what = f"no image of series {series}" if series else "no DICOM image"
        raise ReadError(str(path), f"holds {what} ({len(candidates)} files looked at)", "Choose the folder with the image slices")
    stacks = stacks_of(frames)
    volumes = [_volume(path, s, datasets[s.first.path], len(stacks), strip_patient) for s in stacks]
    return [v.with_data(v.data, metadata={**v.metadata, "skipped": skipped}) for v in volumes] if skipped else volumes


def _files_below(folder: Path) -> list[Path]:
    with reading(folder):
        inside = sorted(p for p in folder.rglob("*") if p.is_file())
    return [p for p in inside if not any(part.startswith(".") for part in p.relative_to(folder).parts) and p.name != "DICOMDIR"]


def _volume(path: Path, stack: Stack, dataset: Any, count: int, strip_patient: bool) -> Volume:
    flat = [f for row in stack.frames for f in row]
    rescales = _rescales(flat)
    shape = sample_shape(stack.first.pixels)
    leading, letters = _leading(stack)
    axes = letters + "yx" + ("c" if len(shape) == 3 else "")
    source = Frames(path, leading, shape, rescales[0].dtype, Loader(flat, rescales))
    parts = [(str(f.path), f.number, f.path.stat().st_mtime_ns) for f in flat[:: max(1, len(flat) // 16)]]
    data = lazy(source, (*[1] * len(leading), *shape), path, parts, stack.part, len(flat))
    units = dict.fromkeys("zyx", "mm" if stack.first.spacing else "pixel")
    step, unit = _time_step(stack, dataset)
    geometry = placed(axes, source.shape, patient_matrix(stack), {"t": (step, 0.0)}, units | {"t": unit})
    volume = Volume(
        data, geometry, _metadata(stack, dataset, rescales, strip_patient), _role(dataset), _name(path, stack, dataset, count)
    )
    note = _note(dataset)
    return restored(_as_noted(volume, note), note, stated="affine")


def _leading(stack: Stack) -> tuple[tuple[int, ...], str]:
    """Return the axes before y and x: z where positions are known, t for repeats and for frames without position."""
    times, slices = len(stack.frames), len(stack.frames[0])
    if not stack.placed:
        by_location = (
            slices > 1 and stack.first.keys.get("location") is not None and stack.first.number == stack.frames[0][-1].number
        )
        return ((slices,), "z" if by_location else "t") if slices > 1 else ((), "")
    return ((times, slices), "tz") if times > 1 else ((slices,), "z")


def _rescales(frames: Sequence[Frame]) -> list[Rescale]:
    """Return one rescale per frame, all with the dtype that holds every value of the volume."""
    pixels = frames[0].pixels
    stored = stored_dtype(pixels)
    if pixels.samples > 1 or pixels.photometric == "PALETTE COLOR" or pixels.floating:
        return [Rescale(1.0, 0.0, stored)] * len(frames)
    low = min(stored_range(f.pixels)[0] for f in frames)
    high = max(stored_range(f.pixels)[1] for f in frames)
    distinct = {(f.slope, f.intercept): Rescale.over(f.slope, f.intercept, low, high, stored) for f in frames}
    dtypes = [r.dtype for r in distinct.values()]
    common = (
        np.result_type(*dtypes)
        if all(d.kind in "iu" for d in dtypes)
        else max((d for d in dtypes if d.kind == "f"), key=lambda d: d.itemsize)
    )
    return [Rescale(f.slope, f.intercept, np.dtype(common)) for f in frames]


def _time_step(stack: Stack, dataset: Any) -> tuple[float, str]:
    """Return the time between frames in seconds, when the file states one."""
    for name in ("TemporalResolution", "FrameTime"):
        value = dataset.get(name)
        if value:
            return float(value) / 1000, "s"
    rate = dataset.get("CineRate") or dataset.get("RecommendedDisplayFrameRate")
    if rate and not stack.placed:
        return 1 / float(rate), "s"
    moments = [row[0].keys.get("trigger") for row in stack.frames]
    if stack.timed == "trigger" and len(moments) > 1 and None not in moments:
        return float(np.mean(np.diff(np.array(moments, float)))) / 1000, "s"
    return 1.0, "pixel"


def _metadata(stack: Stack, dataset: Any, rescales: Sequence[Rescale], strip_patient: bool) -> dict[str, Any]:
    flat = [f for row in stack.frames for f in row]
    metadata: dict[str, Any] = {
        "header": plain_header(dataset, strip_patient=strip_patient),
        "series": stack.first.series,
        "slope": rescales[0].slope,
        "intercept": rescales[0].intercept,
        "photometric": stack.first.pixels.photometric,
    }
    if len({(r.slope, r.intercept) for r in rescales}) > 1:
        metadata["rescale_per_frame"] = [(r.slope, r.intercept) for r in rescales]
    if stack.first.pixels.photometric == "MONOCHROME1":
        metadata["note"] = "MONOCHROME1: small values are meant to be shown bright; values are kept as stored"
    if stack.warnings:
        metadata["warnings"] = list(stack.warnings)
    if stack.placed and len(stack.frames[0]) > 1:
        metadata["slice_positions"] = [f.position for f in stack.frames[0]]
    if "ModalityLUTSequence" in dataset:
        metadata.setdefault("warnings", []).append("The file carries a modality lookup table, which is not applied")
    return metadata | {"files": len({f.path for f in flat})}


def _role(dataset: Any) -> Any:
    return "labels" if str(dataset.get("Modality", "")) == "SEG" and int(dataset.get("BitsAllocated", 16)) <= 8 else "image"


def _name(path: Path, stack: Stack, dataset: Any, count: int) -> str:
    named = str(dataset.get("SeriesDescription", "") or "").strip() or path.name.removesuffix(
        path.suffix if path.is_file() else ""
    )
    number = dataset.get("SeriesNumber")
    series = f" [{number}]" if count > 1 and number is not None else ""
    return f"{named}{series}{f' {stack.part}' if stack.part else ''}"


def _note(dataset: Any) -> dict[str, Any] | None:
    try:
        return from_text(dataset.private_block(PRIVATE_GROUP, KEY)[1].value)
    except KeyError:
        return None


def _as_noted(volume: Volume, note: dict[str, Any] | None) -> Volume:
    """Turn the slices round when they were written against the normal."""
    if note is None or "z" not in volume.axes:
        return volume
    noted = Geometry.from_json(note["geometry"])
    z = volume.axes.index("z")
    if noted.axes != volume.axes or np.dot(noted.affine[:-1, z], volume.geometry.affine[:-1, z]) >= 0:
        return volume
    turn = np.eye(len(volume.axes) + 1)
    turn[z, z], turn[z, -1] = -1.0, volume.shape[z] - 1
    flipped = volume.data[tuple(slice(None, None, -1) if i == z else slice(None) for i in range(len(volume.axes)))]
    geometry = Geometry(volume.axes, volume.shape, volume.geometry.affine @ turn, volume.geometry.units)
    return volume.with_data(flipped, geometry=geometry)
