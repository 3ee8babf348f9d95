"""DICOM headers: what one file says about its frames, read without touching a pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.io.failures import damaged, reading

_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_IMPLICIT, _BIG_ENDIAN = _NATIVE[0], _NATIVE[2]
_UNDEFINED = 0xFFFFFFFF
_SLICE_VECTOR = 0x00540080
_PERSONAL = (0x0010, 0x0032, 0x0038, 0x0040)
_PERSONAL_WORDS = ("Physician", "Institution", "Operator", "Station", "Referring", "AccessionNumber", "OtherPatient")


@dataclass(frozen=True)
class Pixels:
    """How the samples of a file are laid out."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str
    syntax: str
    offset: int | None
    floating: str = ""

    @property
    def kind(self) -> tuple[Any, ...]:
        """What must agree for frames to share a volume."""
        return self.rows, self.columns, self.samples, self.allocated, self.signed, self.photometric, self.floating


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: where its samples are, where it lies, how its values are scaled, what tells it from others."""

    path: Path
    number: int
    pixels: Pixels
    series: str
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    step: float | None
    slope: float
    intercept: float
    keys: Mapping[str, Any] = field(default_factory=dict)


def read_header(path: Path) -> tuple[Any, list[Frame]]:
    """Return the data set of `path` without pixels and one `Frame` per image in it; none when it holds no image."""
    import pydicom

    with reading(path), path.open("rb") as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        syntax = _syntax(dataset)
        if "Rows" not in dataset or "Columns" not in dataset:
            return dataset, []
        offset, floating = _pixel_start(file, syntax)
        if offset == 0:
            return dataset, []
        pixels = _pixels(dataset, syntax, offset, floating)
        count = int(dataset.get("NumberOfFrames", 1) or 1)
        _check_whole(path, pixels, count)
        return dataset, [_frame(path, dataset, pixels, n, count) for n in range(count)]


def plain_header(dataset: Any, *, strip_patient: bool) -> dict[str, Any]:
    """Return keyword and value of every public element that is short and not a sequence."""
    header: dict[str, Any] = {}
    for element in dataset:
        keyword = element.keyword
        if not keyword or element.VR in ("SQ", "OB", "OW", "OF", "OD", "OL", "UN", "UT") or element.tag.is_private:
            continue
        if strip_patient and (element.tag.group in _PERSONAL or any(w in keyword for w in _PERSONAL_WORDS)):
            continue
        header[keyword] = _plain(element.value)
    return header


def _plain(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if isinstance(value, float) else int(value)
    if type(value).__name__ == "MultiValue":
        return [_plain(v) for v in value]
    return None if value is None else str(value)


def _syntax(dataset: Any) -> str:
    """Return the transfer syntax that is stated, else the native one that the data set was found to be in."""
    stated = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if stated:
        return str(stated)
    implicit, little = dataset.original_encoding
    return _IMPLICIT if implicit else _NATIVE[1] if little else _BIG_ENDIAN


def _pixel_start(file: Any, syntax: str) -> tuple[int | None, str]:
    """Return where native samples begin, None when they are packed, 0 when there are none."""
    start = file.tell()
    head = file.read(12)
    order = "big" if syntax == _BIG_ENDIAN else "little"
    if syntax == "1.2.840.10008.1.2.1.99":
        return None, ""
    if len(head) < 8:
        return 0, ""
    group, element = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
    floating = {0x0008: "float32", 0x0009: "float64"}.get(element, "")
    if group != 0x7FE0 or element not in (0x0008, 0x0009, 0x0010):
        return 0, ""
    explicit = syntax != _IMPLICIT
    length = int.from_bytes(head[8:12] if explicit else head[4:8], order)  # type: ignore[arg-type]
    if length == _UNDEFINED or syntax not in _NATIVE:
        return None, floating
    return start + (12 if explicit else 8), floating


def _pixels(dataset: Any, syntax: str, offset: int | None, floating: str) -> Pixels:
    allocated = int(dataset.get("BitsAllocated", 16))
    return Pixels(
        int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1)), allocated,
        int(dataset.get("BitsStored", allocated)), bool(dataset.get("PixelRepresentation", 0)),
        str(dataset.get("PhotometricInterpretation", "MONOCHROME2")), syntax, offset, floating,
    )  # fmt: skip


def _check_whole(path: Path, pixels: Pixels, count: int) -> None:
    if pixels.offset is None:
        return
    samples = 2 if pixels.photometric == "YBR_FULL_422" and pixels.samples == 3 else pixels.samples
    expected = pixels.offset + math.ceil(pixels.rows * pixels.columns * samples * count * pixels.allocated / 8)
    actual = path.stat().st_size
    if actual < expected:
        raise damaged(path, f"is cut off: it has {actual} bytes, its header promises {expected}")


def _frame(path: Path, dataset: Any, pixels: Pixels, number: int, count: int) -> Frame:
    shared = _item(dataset.get("SharedFunctionalGroupsSequence"), 0)
    own = _item(dataset.get("PerFrameFunctionalGroupsSequence"), number)

    def group(name: str) -> Any:
        holder = own if own is not None and name in own else shared
        return None if holder is None else _item(holder.get(name), 0)

    measures, transform = group("PixelMeasuresSequence"), group("PixelValueTransformationSequence")
    orientation = _numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient") or _top(
        dataset, "ImageOrientationPatient"
    )
    position = _numbers(group("PlanePositionSequence"), "ImagePositionPatient") or _top(dataset, "ImagePositionPatient")
    spacing = _numbers(measures, "PixelSpacing") or _spacing(dataset)
    step = _number(measures, "SpacingBetweenSlices") or _number(dataset, "SpacingBetweenSlices")
    if count > 1 and own is None:
        position = _stepped(dataset, position, orientation, step, number)
    slope = _number(transform, "RescaleSlope") or _number(dataset, "RescaleSlope") or 1.0
    source = transform if _number(transform, "RescaleIntercept") is not None else dataset
    known = orientation if orientation and len(orientation) == 6 else None
    return Frame(
        path, number, pixels, str(dataset.get("SeriesInstanceUID", "")), position, known,
        (spacing[0], spacing[-1]) if spacing else None, abs(step) if step else None, slope,
        _number(source, "RescaleIntercept") or 0.0, _keys(dataset, group, number),
    )  # fmt: skip


def _keys(dataset: Any, group: Any, number: int) -> dict[str, Any]:
    """Return what may tell frames at one position from each other."""
    content, echo, diffusion = group("FrameContentSequence"), group("MREchoSequence"), group("MRDiffusionSequence")
    segment = group("SegmentIdentificationSequence")
    return {
        "segment": _number(segment, "ReferencedSegmentNumber"),
        "time": _number(content, "TemporalPositionIndex") or _number(dataset, "TemporalPositionIdentifier"),
        "echo": _number(echo, "EffectiveEchoTime") or _number(dataset, "EchoTime"),
        "b-value": _number(diffusion, "DiffusionBValue") if diffusion is not None else _number(dataset, "DiffusionBValue"),
        "image type": "/".join(map(str, dataset.get("ImageType", ()) or ())) or None,
        "acquisition": _number(dataset, "AcquisitionNumber"),
        "trigger": _number(dataset, "TriggerTime"),
        "acquired": str(dataset.get("AcquisitionDateTime", "") or dataset.get("AcquisitionTime", "") or "") or None,
        "content": str(dataset.get("ContentTime", "") or "") or None,
        "instance": (_number(dataset, "InstanceNumber") or 0) + number,
        "location": _number(dataset, "SliceLocation"),
    }


def _stepped(
    dataset: Any, position: tuple[float, ...] | None, orientation: tuple[float, ...] | None, step: float | None, number: int
) -> tuple[float, ...] | None:
    """Return the position of frame `number` of a classic multi-frame file whose frames are slices, else None."""
    detector = _item(dataset.get("DetectorInformationSequence"), 0)
    position = position or _numbers(detector, "ImagePositionPatient")
    orientation = orientation or _numbers(detector, "ImageOrientationPatient")
    if not position or not orientation:
        return None
    offsets = dataset.get("GridFrameOffsetVector")
    pointer = dataset.get("FrameIncrementPointer")
    if offsets is not None and number < len(offsets):
        shift = float(offsets[number]) - (float(offsets[0]) if float(offsets[0]) == position[2] else 0.0)
    elif pointer == _SLICE_VECTOR and (step or _number(dataset, "SliceThickness")):
        shift = number * float(step or dataset.SliceThickness)
    else:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    return tuple(float(v) for v in np.asarray(position) + shift * normal)


def _spacing(dataset: Any) -> tuple[float, ...] | None:
    names = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    return next((found for name in names if (found := _top(dataset, name))), None)


def _item(sequence: Any, number: int) -> Any:
    return sequence[number] if sequence is not None and len(sequence) > number else None


def _top(dataset: Any, name: str) -> tuple[float, ...] | None:
    return _numbers(dataset, name)


def _numbers(dataset: Any, name: str) -> tuple[float, ...] | None:
    value = None if dataset is None else dataset.get(name)
    if value is None or value == "" or isinstance(value, str):
        return None
    numbers = tuple(float(v) for v in (value if hasattr(value, "__len__") else (value,)))
    return numbers if numbers and all(map(math.isfinite, numbers)) else None


def _number(dataset: Any, name: str) -> float | None:
    value = None if dataset is None else dataset.get(name)
    try:
        return None if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return None
