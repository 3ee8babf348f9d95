"""Write what a technique gave: volumes in the format that the name says, tables and points as CSV, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from napari_lightbox.cli.running import with_progress
from napari_lightbox.errors import InputError

_DOUBLE = (".nii.gz", ".ome.zarr", ".ome.tif", ".ome.tiff")


def split_name(path: Path) -> tuple[str, str]:
    """Return stem and ending of a file name, taking ``.nii.gz`` and ``.ome.zarr`` as one ending."""
    name = path.name
    for ending in _DOUBLE:
        if name.lower().endswith(ending):
            return name[: -len(ending)], name[-len(ending) :]
    return path.stem, path.suffix


def write_outputs(path: Path, outputs: Mapping[str, Any]) -> list[Path]:
    """Write all outputs, the main one to `path` and the others beside it, and return the files.

    A table, points or a value take the name with the ending ``.csv`` or ``.json``.
    """
    stem, ending = split_name(path)
    written = []
    for number, (name, value) in enumerate((n, v) for n, v in outputs.items() if v is not None):
        base = stem if number == 0 else f"{stem}-{name}"
        target = path.with_name(base + _ending(value, ending))
        with_progress(f"writing {target.name}", partial(_write, target, value))
        written.append(target)
    return written


def print_outputs(outputs: Mapping[str, Any]) -> None:
    """Print values as ``name: value`` and tables as CSV.

    Raises
    ------
    InputError
        There is an image among them.
    """
    from napari_lightbox.axes import Volume

    for name, value in outputs.items():
        if isinstance(value, Volume):
            raise InputError("-o", "is needed to write an image", "Say where with -o OUT")
        if value is not None and (table := as_table(value)) is not None:
            print("\n".join(csv_lines(table)))
        elif value is not None:
            print(f"{name}: {json.dumps(as_json(value))}")


def _ending(value: Any, ending: str) -> str:
    from napari_lightbox.axes import Volume

    if isinstance(value, Volume):
        return ending
    if as_table(value) is not None:
        return ending if ending in (".csv", ".tsv") else ".csv"
    return ".json"


def _write(path: Path, value: Any, report: Any) -> None:
    from napari_lightbox.axes import Volume
    from napari_lightbox.io.atomic import replacing
    from napari_lightbox.io.formats import write

    table = None if isinstance(value, Volume) else as_table(value)
    if isinstance(value, Volume) or table is not None:
        write(path, value if table is None else table, progress=report)
        return
    with replacing(path) as partial:
        partial.write_text(json.dumps(as_json(value), indent=2) + "\n", encoding="utf-8")


def as_table(value: Any) -> Any:
    """Return tables, points, shapes and vectors as a Table in napari's columns, None for everything else."""
    from napari_lightbox.contract.values import Points, Shapes, Table, Vectors

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


def _shapes_table(shapes: Any) -> Any:
    """Return one row per vertex, as napari's own CSV of shapes has it."""
    import numpy as np

    from napari_lightbox.contract.values import Table

    counts = [len(vertices) for vertices in shapes.data]
    ndim = np.asarray(shapes.data[0]).shape[-1] if counts else 2
    vertices = np.concatenate([np.asarray(v) for v in shapes.data]) if counts else np.zeros((0, ndim))
    columns = {
        "index": np.repeat(np.arange(len(counts)), counts),
        "shape-type": np.repeat(np.array(shapes.kinds, dtype="U16"), counts),
        "vertex-index": np.concatenate([np.arange(n) for n in counts]) if counts else np.zeros(0, int),
    }
    return Table(columns | {f"axis-{i}": column for i, column in enumerate(vertices.T)})


def as_json(value: Any) -> Any:
    """Return a value or a transform as JSON-ready data.

    Raises
    ------
    InputError
        The command line cannot write this kind.
    """
    import numpy as np

    from napari_lightbox.contract.values import Transform

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


def csv_lines(table: Any) -> Iterator[str]:
    """Yield a table as lines of CSV."""
    yield ",".join(table)
    for row in table.rows():
        yield ",".join(str(cell) for cell in row.values())


def in_words(value: Any) -> str:
    """Return what an output is, for the line that says what was written."""
    from napari_lightbox.axes import Volume

    if isinstance(value, Volume):
        return f"{value.role}, {value.axes} {'x'.join(map(str, value.shape))}, {value.dtype}"
    table = as_table(value)
    return f"table, {len(table)} rows" if table is not None else type(value).__name__
