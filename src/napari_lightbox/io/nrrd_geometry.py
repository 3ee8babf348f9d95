"""Where a NRRD header places its samples: space, directions, kinds, units."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.io.units import short
from napari_lightbox.io.world import Matrix, flipped_order, to_lps

_SPACES = {
    "left-posterior-superior": "LPS", "lps": "LPS", "right-anterior-superior": "RAS", "ras": "RAS",
    "left-anterior-superior": "LAS", "las": "LAS",
}  # fmt: skip
_COLOUR_KINDS = (
    "rgb-color", "rgba-color", "hsv-color", "xyz-color", "2-vector", "3-color", "3-vector", "3-gradient", "3-normal", "4-color",
    "4-vector", "quaternion", "complex", "vector", "list", "covariant-vector",
)  # fmt: skip
_NAMED_KIND = {"t": "time", "c": "vector"}


def geometry_of(header: Mapping[str, str], shape: tuple[int, ...]) -> Geometry:
    """Return the geometry over our axis order; `shape` is that of the array in C order."""
    count = len(shape)
    directions = _directions(header, count)
    axes = _axes(header, count, directions)
    placed = [i for i, d in enumerate(directions) if d is not None]
    matrix = np.eye(count + 1)
    spacings = _words(header, "spacings", count)
    starts = _words(header, "axis mins", count)
    for i in range(count):
        matrix[i, i] = _number(spacings[i], 1.0)
        matrix[i, -1] = _number(starts[i], 0.0)
    if placed:
        spatial = np.eye(len(placed) + 1)
        spatial[:-1, :-1] = np.array([directions[i] for i in placed]).T
        spatial[:-1, -1] = _vector(header.get("space origin")) if "space origin" in header else 0.0
        space = _SPACES.get(re.sub(r"-(and-)?time$|t$", "", header.get("space", "").lower()), "")
        spatial = to_lps(spatial, space[: len(placed)]) if space else spatial
        matrix[np.ix_(placed, placed)] = spatial[:-1, :-1]
        matrix[placed, -1] = spatial[:-1, -1]
    return Geometry(axes, shape, flipped_order(matrix), tuple(reversed(_units(header, axes[::-1], placed))))


def header_fields(geometry: Geometry) -> dict[str, str]:
    """Return the header fields that say what `geometry` says; its axes end in x, or in x and c."""
    axes, shape = geometry.axes[::-1], geometry.shape[::-1]
    matrix = flipped_order(geometry.affine)
    fields = {"dimension": str(len(axes)), "sizes": " ".join(map(str, shape))}
    inside = [i for i, a in enumerate(axes) if a in "xyz"]
    if inside:
        fields |= {"space": "left-posterior-superior"} if len(inside) == 3 else {"space dimension": str(len(inside))}
        fields["space directions"] = " ".join(_tuple(matrix[inside, i]) if i in inside else "none" for i in range(len(axes)))
        fields["space origin"] = _tuple(matrix[inside, -1])
        units = dict(zip(geometry.axes, geometry.units, strict=True))
        fields["space units"] = " ".join(f'"{units[axes[i]]}"' for i in inside)
    fields["kinds"] = " ".join(_kind(a, n) for a, n in zip(axes, shape, strict=True))
    return fields


def _kind(axis: str, length: int) -> str:
    if axis == "c" and length in (3, 4):
        return {3: "RGB-color", 4: "RGBA-color"}[length]
    return "domain" if axis in "xyz" else _NAMED_KIND.get(axis, "list")


def _tuple(values: Matrix) -> str:
    return "(" + ",".join(repr(float(v)) for v in values) + ")"


def _directions(header: Mapping[str, str], count: int) -> list[list[float] | None]:
    if "space directions" not in header:
        return [None] * count
    found = re.findall(r"none|\([^)]*\)", header["space directions"])
    return [None if f == "none" or "nan" in f.lower() else _vector(f) for f in found]


def _vector(text: str | None) -> list[float]:
    return [float(v) for v in (text or "").strip("() ").split(",")]


def _words(header: Mapping[str, str], key: str, count: int) -> list[str]:
    words = header.get(key, header.get(key.replace(" ", ""), "")).split()
    return words if len(words) == count else ["nan"] * count


def _number(text: str, default: float) -> float:
    value = float(text)
    return value if np.isfinite(value) and (value != 0 or default == 0) else default


def _axes(header: Mapping[str, str], count: int, directions: list[list[float] | None]) -> str:
    """Return our letters, slowest axis first."""
    kinds = [k.lower() for k in header.get("kinds", "").split()]
    kinds = (
        kinds
        if len(kinds) == count
        else ["domain" if d is not None or not header.get("space directions") else "list" for d in directions]
    )
    free = {"domain": iter("xyztqrsuvw"), "time": iter("tqrsuvw"), "list": iter("cqrsuvw")}
    letters: list[str] = []
    for kind in kinds:
        group = "time" if kind == "time" else "list" if kind in _COLOUR_KINDS else "domain"
        letters.append(next(a for a in free[group] if a not in letters))
    return "".join(reversed(letters))


def _units(header: Mapping[str, str], axes: str, placed: list[int]) -> list[str]:
    """Return units in file order."""
    named = re.findall(r'"([^"]*)"', header.get("space units", ""))
    each = re.findall(r'"([^"]*)"', header.get("units", ""))
    if len(each) == len(axes) and any(each):
        return [short(u) for u in each]
    inside = dict(zip(placed, named, strict=False))
    default = "mm" if "space" in header or "space directions" in header else "pixel"
    return [short(inside[i]) if i in inside else default if a in "xyz" else "pixel" for i, a in enumerate(axes)]
