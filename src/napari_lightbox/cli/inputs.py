"""Read the files that the command line names, as the technique's inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_lightbox.errors import InputError, ReadError

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume
    from napari_lightbox.contract import Technique
    from napari_lightbox.contract.signature import InputSpec

_EMPTY = ("", "-", "none")


def read_inputs(technique: Technique, paths: Sequence[str], axes: str | None, spacing: str | None) -> tuple[Any, ...]:
    """Return one value per declared input; a path of ``-`` leaves an optional input out.

    Raises
    ------
    InputError
        Too many or too few files.
    """
    specs = technique.inputs
    if specs and specs[-1].role.many and len(paths) >= len(specs):
        fixed = len(specs) - 1
        single = [_read(spec, path, axes, spacing) for spec, path in zip(specs[:fixed], paths[:fixed], strict=True)]
        return (*single, [read_volume(path, labels=False, axes=axes, spacing=spacing) for path in paths[fixed:]])
    needed = [spec.name for spec in specs if not spec.optional]
    if not len(needed) <= len(paths) <= len(specs):
        names = ", ".join(f"{s.name} ({s.role.name}{', optional' if s.optional else ''})" for s in specs)
        raise InputError(technique.id, f"takes {names}; {len(paths)} files were given", "Name one file per input, in this order")
    return tuple(_read(spec, path, axes, spacing) for spec, path in zip(specs, paths, strict=False))


def place_models(technique: Technique, paths: Sequence[str], texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the input files with models named as ``name=path`` among `texts` put in their place, and the other texts.

    Raises
    ------
    InputError
        A model named twice.
    """
    places = {s.name: i for i, s in enumerate(technique.inputs) if s.role.name == "model"}
    files, rest = list(paths), []
    for text in texts:
        name, separator, path = text.partition("=")
        place = places.get(name.strip())
        if place is None or not separator:
            rest.append(text)
            continue
        files += ["-"] * (place + 1 - len(files))
        if files[place] not in _EMPTY:
            raise InputError(name.strip(), "is given twice", "Name the file once, by position or with -p")
        files[place] = path.strip()
    return files, rest


def _read(spec: InputSpec, path: str, axes: str | None, spacing: str | None) -> Any:
    from napari_lightbox.contract.roles import LABEL_ROLES

    if spec.optional and path.lower() in _EMPTY:
        return None
    if spec.is_array:
        own = axes if spec.role.aligned else None
        return read_volume(path, labels=spec.role.name in LABEL_ROLES, axes=own, spacing=spacing)
    readers = {"model": lambda p: p, "value": float, "points": _points, "tracks": _points, "transform": _transform}
    return readers.get(spec.role.name, _table)(path)


def read_volume(path: str, *, labels: bool = False, axes: str | None = None, spacing: str | None = None) -> Volume:
    """Return the volume in a file, the labels among several when labels are wanted.

    Raises
    ------
    ReadError
        The file holds no image.
    """
    from napari_lightbox.axes import Geometry
    from napari_lightbox.io.volumes import volume_in

    volume = volume_in(path, labels=labels)
    geometry = volume.geometry
    if axes is not None:
        geometry = Geometry(axes, geometry.shape, geometry.affine, geometry.units)
    if spacing is not None:
        geometry = geometry.with_spacing(_numbers(spacing))
    return replace(volume, geometry=geometry)


def _numbers(text: str) -> float | list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError("--spacing", f"{text!r} is not a list of numbers", "Write it like --spacing 3,1,1") from None
    return values[0] if len(values) == 1 else values


def _table(path: str) -> Any:
    from napari_lightbox.contract.values import Table
    from napari_lightbox.io.formats import read

    found = [v for v in read(path) if isinstance(v, Table)]
    if not found:
        raise ReadError(path, "holds no table", "Give a CSV file")
    return found[0]


def _points(path: str) -> Any:
    """Return points from a table with columns ``axis-0``, ``axis-1``, ... as napari writes them."""
    import numpy as np

    from napari_lightbox.contract.values import Points, Table

    table = _table(path)
    names = [name for name in table if name.startswith("axis-")]
    if not names:
        raise ReadError(path, "has no columns axis-0, axis-1, ...", "Save points from napari or with `lightbox apply`")
    rest = {name: table[name] for name in table if name not in names and name != "index"}
    data = np.stack([np.asarray(table[name], np.float64) for name in names], axis=1)
    return Points(data, Table(rest) if rest else None)


def _transform(path: str) -> Any:
    """Return a transform written by `lightbox apply`."""
    import json
    from pathlib import Path

    import numpy as np

    from napari_lightbox.contract.values import Transform

    try:
        matrix = np.array(json.loads(Path(path).read_text(encoding="utf-8"))["matrix"], np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(path, f"holds no transform ({error})", "Give a JSON file written by `lightbox apply`") from error
    return Transform(matrix)
