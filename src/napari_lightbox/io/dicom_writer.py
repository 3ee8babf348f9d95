"""Write a volume as one DICOM series: a file per slice, each with its place in the patient."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.axes.affine import scaling
from napari_lightbox.errors import WriteError
from napari_lightbox.io.atomic import replacing_folder
from napari_lightbox.io.note import KEY, note_of, to_text
from napari_lightbox.io.signatures import identify
from napari_lightbox.io.streaming import Progress, store
from napari_lightbox.io.units import metres
from napari_lightbox.io.world import arranged, flipped_order, with_axes

PRIVATE_GROUP = 0x0099
_CT, _MR, _CAPTURE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"
_KEPT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime",
         "StudyDescription", "FrameOfReferenceUID", "AccessionNumber", "PatientPosition", "BodyPartExamined")  # fmt: skip


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None) -> None:
    """Write one volume of 16-bit integers or RGB as a folder of slices, each written as soon as it is known."""
    (volume,) = volumes
    stored, intercept = _stored_form(path, volume)
    dtype = np.dtype(volume.dtype)
    note = to_text(
        note_of(stored, volume.axes, dtype=str(dtype.newbyteorder("=")) if stored.dtype != dtype or intercept else None)
    )
    with replacing_folder(path, _is_series) as folder:
        series = _Series(folder, stored, _template(stored, volume, intercept, note))
        planes = {i: -1 for i, a in enumerate(stored.axes) if a in "yxc"}
        data = stored.data.rechunk(planes) if hasattr(stored.data, "dask") else np.asarray(stored.data)
        store(data, series, progress)


class _Series:
    """A target that writes each plane it receives to a file of its own."""

    def __init__(self, folder: Path, stored: Volume, template: Any) -> None:
        self.folder, self.template, self.shape, self.dtype = folder, template, stored.shape, np.dtype(stored.dtype)
        self.leading = stored.axes.index("y")
        self.axes, self.matrix = stored.axes, flipped_order(stored.geometry.select("zyx").affine)
        self.width = max(4, len(str(int(np.prod(self.shape[: self.leading])))))

    def __setitem__(self, key: tuple[slice, ...], block: NDArray[Any]) -> None:
        outer = [range(*k.indices(n)) for k, n in zip(key, self.shape[: self.leading], strict=False)]
        for place, inside in zip(product(*outer), np.ndindex(*map(len, outer)), strict=True):
            self._write(place, block[inside])

    def _write(self, place: tuple[int, ...], plane: NDArray[Any]) -> None:
        from pydicom.uid import generate_uid

        number = int(np.ravel_multi_index(place, self.shape[: self.leading])) + 1
        index = dict(zip(self.axes, place, strict=False))
        dataset = self.template()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number
        position = self.matrix[:3, :3] @ [0, 0, index.get("z", 0)] + self.matrix[:3, 3]
        dataset.ImagePositionPatient = [_decimal(v) for v in position]
        if "t" in index:
            dataset.TemporalPositionIdentifier = index["t"] + 1
            dataset.NumberOfTemporalPositions = self.shape[self.axes.index("t")]
        dataset.PixelData = np.ascontiguousarray(plane, self.dtype.newbyteorder("<")).tobytes()
        if len(dataset.PixelData) % 2:
            dataset.PixelData += b"\0"
        dataset.save_as(self.folder / f"slice-{number:0{self.width}d}.dcm", enforce_file_format=True)


def _stored_form(path: Path, volume: Volume) -> tuple[Volume, int]:
    """Return the volume as (t) z y x (c) of a type that DICOM holds, and the intercept that brings its values back."""
    dtype = np.dtype(volume.dtype).newbyteorder("=")
    sizes = dict(zip(volume.axes, volume.shape, strict=True))
    colour = sizes.get("c") == 3 and dtype == np.uint8 and volume.role == "image"
    extra = [a for a in volume.axes if a not in "tzyx" and not (a == "c" and colour) and sizes[a] != 1]
    if extra or not {"y", "x"} <= set(volume.axes):
        raise WriteError(
            str(path), f"DICOM holds t, z, y, x and RGB, the volume has {volume.axes!r}", "Select one channel, or write NIfTI"
        )
    if dtype.kind not in "biu":
        reason = f"DICOM images hold integers, the volume has {dtype}"
        raise WriteError(str(path), reason, "Scale and convert it to int16 first, or write NIfTI or MetaImage")
    axes = ("t" if "t" in sizes else "") + "zyx" + ("c" if colour else "")
    stored = arranged(
        with_axes(volume, "".join(a for a in volume.axes if a in axes) + "".join(a for a in axes if a not in sizes)), axes
    )
    stored = replace(stored, geometry=_in_millimetres(stored))
    _check_directions(path, stored)
    if colour:
        return stored, 0
    if dtype.itemsize > 2:
        return _narrowed(path, stored)
    kind = {"int8": "int16", "uint8": "uint16", "bool": "uint16"}.get(str(dtype), str(dtype))
    return stored.with_data(stored.data.astype(kind)), 0


def _narrowed(path: Path, stored: Volume) -> tuple[Volume, int]:
    """Fit wide integers into 16 bits with an exact intercept when their range allows it."""
    low, high = int(stored.data.min()), int(stored.data.max())
    for kind, intercept in (("int16", 0), ("uint16", 0), ("uint16", low)):
        info = np.iinfo(kind)
        if info.min <= low - intercept and high - intercept <= info.max:
            return stored.with_data((stored.data - intercept).astype(kind) if intercept else stored.data.astype(kind)), intercept
    reason = f"its values from {low} to {high} do not fit into 16 bits"
    raise WriteError(str(path), reason, "Write NIfTI or MetaImage, or clip it first")


def _in_millimetres(volume: Volume) -> Any:
    """Return the geometry with lengths in millimetres, as DICOM wants them; pixels are left as numbers."""
    geometry = volume.geometry
    factors = [(metres(u) or 1e-3) / 1e-3 if a in "zyx" else 1.0 for a, u in zip(geometry.axes, geometry.units, strict=True)]
    units = tuple("mm" if a in "zyx" else u for a, u in zip(geometry.axes, geometry.units, strict=True))
    return replace(geometry, affine=scaling(factors) @ geometry.affine, units=units)


def _check_directions(path: Path, stored: Volume) -> None:
    matrix = stored.geometry.select("zyx").affine
    y, x = matrix[:3, 1], matrix[:3, 2]
    if abs(np.dot(y, x)) > 1e-4 * np.linalg.norm(y) * np.linalg.norm(x):
        raise WriteError(str(path), "DICOM planes need perpendicular rows and columns", "Resample it onto a straight grid first")


def _template(stored: Volume, volume: Volume, intercept: int, note: str) -> Any:
    """Return a function that makes the part of the header that all slices share."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    colour, given = stored.axes.endswith("c"), volume.metadata.get("header")
    header = given if isinstance(given, dict) else {}
    modality = str(header.get("Modality", "OT" if colour else "CT"))
    storage = _CAPTURE if colour else _MR if modality == "MR" else _CT
    shared = {k: header[k] for k in _KEPT if header.get(k)}
    shared = {
        "StudyInstanceUID": generate_uid(),
        "FrameOfReferenceUID": generate_uid(),
        "PatientName": "",
        "PatientID": "",
    } | shared
    shared |= {"SOPClassUID": storage, "SeriesInstanceUID": generate_uid(), "Modality": modality, "SeriesNumber": 1}
    shared |= {"SeriesDescription": volume.name[:64], "ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}
    now = datetime.datetime.now(tz=datetime.UTC)
    shared |= {"ContentDate": now.strftime("%Y%m%d"), "ContentTime": now.strftime("%H%M%S")}
    shared |= _plane_fields(stored) | _sample_fields(stored, volume, intercept, colour)

    def make() -> FileDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = storage, ExplicitVRLittleEndian
        dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        for keyword, value in shared.items():
            setattr(dataset, keyword, value)
        dataset.private_block(PRIVATE_GROUP, KEY, create=True).add_new(1, "UT", note)
        return dataset

    return make


def _plane_fields(stored: Volume) -> dict[str, Any]:
    matrix = flipped_order(stored.geometry.select("zyx").affine)
    x, y, z = (matrix[:3, i] for i in range(3))
    normal = np.cross(x, y) / np.linalg.norm(np.cross(x, y))
    return {
        "ImageOrientationPatient": [_decimal(v) for v in (*(x / np.linalg.norm(x)), *(y / np.linalg.norm(y)))],
        "PixelSpacing": [_decimal(np.linalg.norm(y)), _decimal(np.linalg.norm(x))],
        "SliceThickness": _decimal(np.linalg.norm(z)),
        "SpacingBetweenSlices": _decimal(abs(np.dot(z, normal)) or np.linalg.norm(z)),
    } | _time_fields(stored)


def _time_fields(stored: Volume) -> dict[str, Any]:
    if "t" not in stored.axes or stored.geometry.units[0] not in ("s", "ms"):
        return {}
    step = stored.geometry.spacing[0] * (1000 if stored.geometry.units[0] == "s" else 1)
    return {"TemporalResolution": _decimal(step)}


def _sample_fields(stored: Volume, volume: Volume, intercept: int, colour: bool) -> dict[str, Any]:
    bits = 8 if colour else 16
    monochrome = str(volume.metadata.get("photometric", ""))
    fields: dict[str, Any] = {
        "Rows": stored.geometry.length("y"), "Columns": stored.geometry.length("x"), "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else monochrome if monochrome == "MONOCHROME1" else "MONOCHROME2",
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(stored.dtype.kind == "i"),
    }  # fmt: skip
    if colour:
        return fields | {"PlanarConfiguration": 0, "ConversionType": "WSD"}
    return fields | {
        "RescaleSlope": "1",
        "RescaleIntercept": str(intercept),
        "RescaleType": "HU" if volume.role == "image" else "US",
    }


def _decimal(value: Any) -> Any:
    from pydicom.valuerep import DSfloat

    return DSfloat(float(value), auto_format=True)


def _is_series(folder: Path) -> bool:
    """Tell whether a folder holds DICOM files and nothing else."""
    inside = [p for p in folder.iterdir() if not p.name.startswith(".")]
    return bool(inside) and all(p.is_file() and identify(p) == "dicom" for p in inside)
