"""Values that are not pixel arrays: tables, points, shapes, vectors, surfaces, transforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length with optional units.

    Parameters
    ----------
    columns
        Name to one-dimensional array, in display order.
    units
        Name to unit, for the columns that have one.
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {str(name): np.asarray(values) for name, values in self.columns.items()}
        if len({len(c) for c in columns.values()}) > 1:
            raise InputError("table", "columns differ in length", "Give every column one value per row")
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one column."""
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the column names."""
        return iter(self.columns)

    def rows(self) -> list[dict[str, Any]]:
        """Return one dictionary per row with plain Python values."""
        lists = {name: column.tolist() for name, column in self.columns.items()}
        return [{name: values[i] for name, values in lists.items()} for i in range(len(self))]

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def stack_tables(tables: Sequence[Table], keys: Sequence[Mapping[str, int]]) -> Table:
    """Concatenate tables, writing the items of each key as leading columns."""
    names = list(tables[0].columns) if tables else []
    columns: dict[str, NDArray[Any]] = {}
    for key in keys[0] if keys else ():
        columns[key] = np.concatenate([np.full(len(t), k[key]) for t, k in zip(tables, keys, strict=True)])
    for name in names:
        columns[name] = np.concatenate([t[name] for t in tables])
    return Table(columns, tables[0].units if tables else {})


@dataclass(frozen=True, eq=False)
class Points:
    """Positions in index coordinates of the input, one row per point; `features` has one row each."""

    data: NDArray[np.float64]
    features: Table | None = None


@dataclass(frozen=True, eq=False)
class Shapes:
    """Polygons, paths, rectangles or ellipses as vertex arrays in index coordinates."""

    data: Sequence[NDArray[np.float64]]
    kinds: Sequence[str]
    features: Table | None = None


@dataclass(frozen=True, eq=False)
class Vectors:
    """Array (n, 2, ndim): start and displacement in index coordinates."""

    data: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangle mesh: vertices (n, 3), faces (m, 3), one value per vertex."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    values: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Transform:
    """Map from fixed to moving world coordinates, spatial axes in z, y, x order: ``matrix @ x + field(x)``.

    `matrix` is homogeneous. `field` is an optional dense displacement (ndim, *shape) in world units sampled on the geometry
    `grid`, interpolated linearly and zero outside it.
    """

    matrix: NDArray[np.float64]
    field: NDArray[np.float32] | None = None
    grid: Any = None


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model that a technique has trained: a card of JSON-ready data that says what it is, and its arrays by name."""

    card: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
