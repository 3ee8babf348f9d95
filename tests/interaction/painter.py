"""A process that paints until it is killed; says on stdout how many strokes were acknowledged."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.interaction import journal
from napari_lightbox.interaction.deltas import Delta

SHAPE = (6, 40, 44)


def strokes():
    """Yield target and stroke number for ever: the same in every process."""
    rng = np.random.default_rng(0)
    while True:
        name = "ab"[int(rng.integers(2))]
        z, y, x = (int(rng.integers(n - 4)) for n in SHAPE)
        yield name, (slice(z, z + 3), slice(y, y + 4), slice(x, x + 4)), int(rng.integers(0, 9))


def painted(count: int) -> dict[str, np.ndarray]:
    """Return the layers after some strokes."""
    arrays = {"a": np.zeros(SHAPE, np.int32), "b": np.ones(SHAPE, np.uint8)}
    for _, (name, box, value) in zip(range(count), strokes(), strict=False):
        arrays[name][box] = value
    return arrays


def main(path: str, tail: str) -> None:
    journal.SMALLEST_TAIL = int(tail)
    arrays = painted(0)
    book = journal.Journal(Path(path))
    geometry = Geometry.of("zyx", SHAPE, (3, 1, 1))
    book.begin("a", geometry, np.int32)
    book.begin("b", geometry, np.uint8, arrays["b"])
    sys.stdout.write("0\n")
    sys.stdout.flush()
    for number, (name, box, value) in enumerate(strokes(), start=1):
        before = arrays[name].copy()
        arrays[name][box] = value
        delta = Delta.between(before, arrays[name])
        if delta is not None:
            book.append(name, delta)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
