"""Geometries and volumes that the format tests share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume

TURN = np.linalg.qr(np.array([[0.9, 0.3, -0.2], [-0.25, 0.8, 0.5], [0.3, -0.4, 0.85]]))[0]


def turned_geometry(axes: str, shape: tuple[int, ...], flip: bool = False) -> Geometry:
    """Oblique, anisotropic, shifted in space; a quarter of a second between frames."""
    matrix = np.eye(len(axes) + 1)
    inside = [i for i, a in enumerate(axes) if a in "zyx"]
    steps = {"z": 2.5, "y": 0.7, "x": 0.6}
    directions = TURN if len(inside) == 3 else np.eye(len(inside))
    matrix[np.ix_(inside, inside)] = directions * [steps[axes[i]] for i in inside]
    if flip and "z" in axes:
        matrix[:, axes.index("z")] *= -1
    matrix[inside, -1] = [10.0, -20.5, 3.25][: len(inside)]
    if "t" in axes:
        matrix[axes.index("t"), axes.index("t")] = 0.25
    units = {"t": "s", "z": "mm", "y": "mm", "x": "mm"}
    return Geometry(axes, shape, matrix, tuple(units.get(a, "pixel") for a in axes))


@pytest.fixture
def make() -> Callable[..., Volume]:
    """Return a maker of random volumes with an oblique geometry."""

    def maker(axes: str, shape: tuple[int, ...], dtype: str = "int16", role: str = "image", seed: int = 0) -> Volume:
        rng = np.random.default_rng(seed)
        kind = np.dtype(dtype)
        if kind.kind == "b":
            data = rng.random(shape) > 0.5
        elif kind.kind in "iu":
            info = np.iinfo(kind)
            data = rng.integers(info.min, info.max, shape, kind.newbyteorder("="), endpoint=True).astype(kind)
        else:
            data = (rng.normal(size=shape) * 100).astype(kind)
        return Volume(data, turned_geometry(axes, shape), {}, role, "name")

    return maker
