"""Results as files: which name each gets, volumes in the format that the name says, tables as CSV, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Points, Shapes, Table, TrainedModel, Transform, Vectors
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.formats import write, writer_of
from napari_lightbox.kernels.model_file import SUFFIX, write_model

_DOUBLE = (".nii.gz", ".ome.zarr", ".ome.tif", ".ome.tiff")
_LOSSLESS = (".nii.gz", ".nii", ".ome.zarr", ".zarr", ".ome.tif", ".ome.tiff", ".tif", ".tiff", ".mha", ".nrrd", ".png")
_MEDICAL = ("", ".dcm", ".dicom", ".ima", ".mhd")
Write = Callable[[Path, Any], None]


def split_name(path: Path) -> tuple[str, str]:
    """Return stem and ending of a file name, taking ``.nii.gz`` and ``.ome.zarr`` as one ending."""
    name = path.name
    for ending in _DOUBLE:
        if name.lower().endswith(ending):
            return name[: -len(ending)], name[-len(ending) :]
    return path.stem, path.suffix


def name_targets(sources: Sequence[str], folder: Path, ending: str | None) -> dict[str, Path]:
    """Return the result file of each input; files of the same name from different folders keep the folder's name.

    Raises
    ------
    InputError
        Two inputs would write the same file.
    FormatError
        No writer for the ending.
    """
    sources = list(dict.fromkeys(sources))
    names = {source: split_name(Path(source)) for source in sources}
    stems = [stem for stem, _ in names.values()]
    targets = {}
    for source, (stem, own) in names.items():
        unique = stem if stems.count(stem) == 1 else f"{Path(source).resolve().parent.name}-{stem}"
        targets[source] = folder / (unique + (ending or _writable(own)))
        writer_of(targets[source])
    if len(set(targets.values())) < len(targets):
        raise InputError("inputs", "two of them would write the same result", "Run them into different folders")
    return targets


def further_inputs(source: str, patterns: Sequence[str]) -> list[str]:
    """Return the further inputs that belong to one file.

    Raises
    ------
    ParameterError
        A pattern has an unknown placeholder.
    """
    path = Path(source)
    try:
        return [p.format(folder=path.parent.as_posix(), stem=split_name(path)[0], name=path.name) for p in patterns]
    except (KeyError, IndexError, ValueError) as error:
        raise ParameterError(
            "further input", f"has an unknown placeholder ({error})", "Use {folder}, {stem} and {name}"
        ) from error


def write_outputs(path: Path, outputs: Mapping[str, Any], write_one: Write | None = None) -> list[Path]:
    """Write all outputs, the main one to `path` and the others beside it, and return the files.

    A table or points take the name with the ending ``.csv``, a model ``.safetensors``, the rest ``.json``. `write_one` is
    called instead of `write_output`, for example to show progress.
    """
    stem, ending = split_name(path)
    written = []
    for number, (name, value) in enumerate((n, v) for n, v in outputs.items() if v is not None):
        base = stem if number == 0 else f"{stem}-{name}"
        target = path.with_name(base + _ending(value, ending))
        (write_one or write_output)(target, value)
        written.append(target)
    return written


def write_output(path: Path, value: Any, progress: Any = None) -> None:
    """Write one output; `progress` is called with fractions."""
    if isinstance(value, TrainedModel):
        write_model(path, value)
        return
    table = None if isinstance(value, Volume) else as_table(value)
    if isinstance(value, Volume) or table is not None:
        write(path, value if table is None else table, progress=progress)
        return
    with replacing(path) as partial:
        partial.write_text(json.dumps(as_json(value), indent=2) + "\n", encoding="utf-8")


def as_table(value: Any) -> Any:
    """Return tables, points, shapes and vectors as a Table in napari's columns, None for everything else."""
    if isinstance(value, Table):
        return value
    if isinstance(value, Points):
        columns = {f"axis-{i}": column for i, column in enumerate(value.data.T)}
        return Table(columns | (dict(value.features.columns) if value.features is not None else {}))
    if isinstance(value, Shapes):
        return _shapes_table(value)
    if isinstance(value, Vectors):
        ndim = value.data.shape[-1]
        flat = value.data.reshape(len(value.data), -1)
        return Table(dict(zip([f"{part}-{i}" for part in ("axis", "step") for i in range(ndim)], flat.T, strict=True)))
    return None


def as_json(value: Any) -> Any:
    """Return a value or a transform as JSON-ready data.

    Raises
    ------
    InputError
        The command line cannot write this kind.
    """
    if isinstance(value, Transform):
        return {
            "matrix": value.matrix.tolist(),
            "axes": "zyx"[4 - len(value.matrix) :],
            "from": "fixed world",
            "to": "moving world",
        }
    if isinstance(value, float | int | str | list | dict):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise InputError("output", f"{type(value).__name__} cannot be written by the command line", "Run it from Python or napari")


def _shapes_table(shapes: Any) -> Any:
    """Return one row per vertex, as napari's own CSV of shapes has it."""
    counts = [len(vertices) for vertices in shapes.data]
    ndim = np.asarray(shapes.data[0]).shape[-1] if counts else 2
    vertices = np.concatenate([np.asarray(v) for v in shapes.data]) if counts else np.zeros((0, ndim))
    columns = {
        "index": np.repeat(np.arange(len(counts)), counts),
        "shape-type": np.repeat(np.array(shapes.kinds, dtype="U16"), counts),
        "vertex-index": np.concatenate([np.arange(n) for n in counts]) if counts else np.zeros(0, int),
    }
    return Table(columns | {f"axis-{i}": column for i, column in enumerate(vertices.T)})


def _ending(value: Any, ending: str) -> str:
    if isinstance(value, Volume):
        return ending
    if as_table(value) is not None:
        return ending if ending in (".csv", ".tsv") else ".csv"
    return SUFFIX if isinstance(value, TrainedModel) else ".json"


def _writable(ending: str) -> str:
    """Return the ending for results of a file that ends so: the same where it keeps all values, else a lossless one."""
    if ending.lower() in _LOSSLESS:
        return ending
    return ".nii.gz" if ending.lower() in _MEDICAL else ".ome.tif"
