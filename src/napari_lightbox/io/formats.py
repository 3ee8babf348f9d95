"""Which format a file has, and the two functions that everybody calls: read and write."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import FormatError, InputError, ParameterError, ReadError, WriteError
from napari_lightbox.io.atomic import restore
from napari_lightbox.io.failures import reading, writing
from napari_lightbox.io.signatures import identify, looks_like_bare_dicom
from napari_lightbox.io.streaming import Progress


@dataclass(frozen=True)
class Format:
    """One file format.

    Parameters
    ----------
    suffixes, writes
        File name endings that it reads, and those that it writes.
    signed
        Its files begin with a signature, so that one without it is mislabelled.
    several
        How many volumes one file takes.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    writes: tuple[str, ...]
    signed: bool = True
    several: bool = False

    @property
    def module(self) -> Any:
        """The module with `read` and `write`, loaded when it is needed."""
        return import_module(f"napari_lightbox.io.{self.name}")


FORMATS: tuple[Format, ...] = (
    Format("ome_zarr", "OME-Zarr", (".ome.zarr", ".zarr"), (".ome.zarr", ".zarr"), several=True),
    Format(
        "tiff", "TIFF", (".ome.tif", ".ome.tiff", ".tif", ".tiff", ".btf", ".lsm"), (".ome.tif", ".ome.tiff", ".tif", ".tiff")
    ),
    Format("raster", "picture", (".png", ".jpg", ".jpeg", ".bmp", ".webp"), (".png", ".jpg", ".jpeg", ".bmp", ".webp")),
    Format("nifti", "NIfTI", (".nii.gz", ".nii", ".hdr", ".img", ".hdr.gz", ".img.gz"), (".nii.gz", ".nii"), signed=False),
    Format("metaimage", "MetaImage", (".mha", ".mhd"), (".mha", ".mhd")),
    Format("nrrd", "NRRD", (".nrrd", ".nhdr"), (".nrrd", ".nhdr")),
    Format("dicom", "DICOM", (".dcm", ".dicom", ".ima"), ("",), signed=False),
    Format("gif", "GIF", (".gif",), (".gif",)),
    Format(
        "video",
        "video",
        (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"),
        (".mp4", ".avi", ".mkv"),
        signed=False,
    ),
    Format("tables", "table", (".csv", ".tsv"), (".csv", ".tsv"), signed=False),
)
_BY_NAME = {f.name: f for f in FORMATS}
_ZARR_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def read(path: str | Path | Sequence[str | Path], **options: Any) -> list[Any]:
    """Read images, labels and tables; large arrays stay in their file until they are looked at.

    Parameters
    ----------
    path
        A file, a folder (OME-Zarr, DICOM series), a pattern such as ``"slices/*.dcm"``, or a list of files.
    **options
        What the format offers, for example ``fourth="c"`` for NIfTI or ``axes="tyx"`` for TIFF.

    Returns
    -------
    A list of `Volume` and `Table`, also when there is only one.

    Raises
    ------
    ReadError
        The file is missing, damaged, mislabelled or must not be opened.
    FormatError
        Its format is not known.
    """
    paths = _paths(path)
    files = [p for p in paths if p.is_file()]
    if len(files) == len(paths) > 1 and all(format_of(p).name == "dicom" for p in paths):
        return _read_one(_BY_NAME["dicom"], paths[0].parent, {"files": paths, **options})
    return [value for p in paths for value in _read_one(format_of(p), p, options)]


def write(path: str | Path, *volumes: Any, progress: Progress | None = None, **options: Any) -> None:
    """Write volumes or a table; the file appears whole or not at all, and an older one stays until then.

    Parameters
    ----------
    path
        The ending says the format; a name without ending is a folder for a DICOM series.
    *volumes
        `Volume` or `Table`. OME-Zarr takes an image and its labels, the other formats one volume.
    progress
        Called with a fraction from 0 to 1; an exception that it raises cancels the writing and leaves nothing behind.
    **options
        What the format offers, for example ``compression="zlib"`` for TIFF.

    Raises
    ------
    WriteError
        The system refuses, or the format would change the data.
    FormatError
        No writer has this ending.
    """
    target = Path(path)
    chosen = writer_of(target)
    if not volumes:
        raise InputError("volumes", "nothing to write was given", "Pass at least one Volume or Table")
    if len(volumes) > 1 and not chosen.several:
        reason = f"{chosen.title} holds one volume, {len(volumes)} were given"
        raise WriteError(str(path), reason, "Write each to its own file, or all to OME-Zarr")
    wanted = Table if chosen.name == "tables" else Volume
    for volume in volumes:
        if not isinstance(volume, wanted):
            reason = f"takes a {wanted.__name__}, not a {type(volume).__name__}"
            raise InputError(str(path), reason, "Wrap arrays in Volume(data, geometry); tables go to .csv")
    _check_options(chosen, "write", options)
    with writing(path):
        chosen.module.write(target, [_sliceable(path, v) for v in volumes], progress=progress, **options)


def format_of(path: Path) -> Format:
    """Return the format of a file or folder, by content first and by name where the content has no signature.

    Raises
    ------
    ReadError
        Missing, or the content is not what the name says.
    FormatError
        Neither content nor name are known.
    """
    restore(path)
    if not path.exists():
        raise ReadError(str(path), "does not exist", "Check the path; it may have been moved or renamed")
    if path.is_dir():
        return _BY_NAME["ome_zarr" if any((path / name).exists() for name in _ZARR_FILES) else "dicom"]
    by_name = by_suffix(path)
    by_content = identify(path)
    if by_content is not None:
        return _BY_NAME[by_content]
    if path.stat().st_size == 0:
        raise ReadError(str(path), "is empty", "Copy it again from its source")
    if (by_name is None or by_name.name == "dicom") and looks_like_bare_dicom(path):
        return _BY_NAME["dicom"]
    if by_name is None:
        raise FormatError(str(path), "has a format that is not known", f"Convert it to one of {_endings('suffixes')}")
    if by_name.signed or by_name.name == "dicom":
        raise ReadError(
            str(path), f"is named like {by_name.title} but its content is not", "Check what the file is and rename it"
        )
    return by_name


def writer_of(path: Path) -> Format:
    """Return the format that writes files named like `path`."""
    for chosen in FORMATS:
        if any(path.name.lower().endswith(s) for s in chosen.writes if s):
            return chosen
    if not path.suffix:
        return _BY_NAME["dicom"]
    raise FormatError(str(path), f"no writer for files that end in {path.suffix}", f"Use one of {_endings('writes')}")


def by_suffix(path: Path) -> Format | None:
    """Return the format whose files are named like `path`, or None."""
    name = path.name.lower()
    fits = [(len(s), f) for f in FORMATS for s in f.suffixes if name.endswith(s)]
    return max(fits, key=lambda pair: pair[0])[1] if fits else None


def _paths(path: str | Path | Sequence[str | Path]) -> list[Path]:
    if isinstance(path, str) and "://" in path:
        raise ReadError(path, "is not on this computer", "Download it first, or mount it as a folder")
    if not isinstance(path, (str, Path)):
        found = [Path(p) for p in path]
    elif any(c in str(path) for c in "*?[") and not Path(path).exists():
        pattern = Path(path)
        found = sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    else:
        found = [Path(path)]
    if not found:
        raise ReadError(str(path), "no file fits", "Check the pattern or the list")
    return found


def _read_one(chosen: Format, path: Path, options: Mapping[str, Any]) -> list[Any]:
    _check_options(chosen, "read", options)
    with reading(path):
        values = chosen.module.read(path, **options)
    return [_with_source(v, chosen, path) if isinstance(v, Volume) else v for v in values]


def _sliceable(path: str | Path, value: Any) -> Any:
    """Return the volume with a NumPy or dask array; other array-likes, such as Zarr arrays, are read chunk by chunk."""
    if isinstance(value, Table):
        return value
    if 0 in value.shape:
        raise InputError(str(path), f"was given a volume without voxels (shape {value.shape})", "Choose a part that is not empty")
    if isinstance(value.data, np.ndarray) or hasattr(value.data, "dask"):
        return value
    import dask.array as da

    return value.with_data(da.from_array(value.data))


def _with_source(volume: Volume, chosen: Format, path: Path) -> Volume:
    return replace(volume, metadata={"source": str(path), "format": chosen.title, **volume.metadata})


def _check_options(chosen: Format, verb: str, options: Mapping[str, Any]) -> None:
    known = set(inspect.signature(getattr(chosen.module, verb)).parameters) - {"path", "volumes", "progress"}
    for name in options:
        if name not in known:
            offered = ", ".join(sorted(known)) or "none"
            raise ParameterError(name, f"is not an option to {verb} {chosen.title}", f"Options are: {offered}")


def _endings(which: str) -> str:
    return ", ".join(s for f in FORMATS for s in getattr(f, which) if s)
