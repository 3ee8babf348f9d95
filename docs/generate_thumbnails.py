"""Write the small picture of every technique that the finder shows: the left half before, the right half after.

Run it from anywhere: ``python docs/generate_thumbnails.py [ID...]``. The pictures are kept in the repository and shipped with the
package; without ids, those of techniques that are gone are removed.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image as Picture
from technique_inputs import SETTINGS, inputs_for
from technique_pictures import draw

import napari_lightbox as lb
from napari_lightbox.axes import Volume
from napari_lightbox.contract import Technique, registry
from napari_lightbox.contract.values import Points, Shapes, Table, Transform, Vectors
from napari_lightbox.errors import LightboxError

FOLDER = Path(lb.__file__).parent / "widgets" / "thumbnails"
SIZE = (144, 96)
MOST_BYTES = 8000
_DRAWN = (Volume, Points, Shapes, Vectors)
_NEAR = {"denoise": 0.4, "restore": 0.45, "edges": 0.6, "threshold": 0.6, "morphology": 0.6, "intensity": 0.8}


def main(chosen: list[str]) -> int:
    """Write the pictures; return the number of techniques without one."""
    FOLDER.mkdir(exist_ok=True)
    techniques = [t for t in registry.find(kind="technique") if not chosen or t.id in chosen]
    failed = 0
    for technique in techniques:
        try:
            picture = thumbnail(technique)
        except (LightboxError, ValueError, TypeError) as error:
            failed += 1
            print(f"{technique.id}: no picture, {type(error).__name__}: {error}", file=sys.stderr)
            continue
        (FOLDER / f"{technique.id}.webp").write_bytes(picture)
    if not chosen:
        for path in FOLDER.glob("*.webp"):
            if path.stem not in {t.id for t in techniques}:
                path.unlink()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.webp"))
    print(f"{len(techniques) - failed} pictures, {failed} without one, {total / 1024:.0f} KiB in all")
    return failed


def thumbnail(technique: Technique) -> bytes:
    """Return a technique at work as a small WebP picture."""
    inputs = inputs_for(technique)
    while inputs and inputs[-1] is None:
        inputs.pop()
    result = lb.apply(technique, *inputs, compute=True, **SETTINGS.get(technique.id, {}))
    outputs = list(result) if len(technique.outputs) > 1 else [result]
    before = inputs[0][0] if isinstance(inputs[0], list) else inputs[0]
    after = next((value for value in outputs if isinstance(value, _DRAWN)), None)
    table = next((value for value in outputs if isinstance(value, Table | Transform) or np.ndim(value) == 0), None)
    near = _NEAR.get(technique.family, 1.0)
    left = _rendered(before, None, near)
    right = _table(left) if after is None and table is not None else _rendered(after, before, near)
    return _compressed(_halves(left, right))


def _rendered(value: Any, background: Any, near: float) -> np.ndarray:
    """Return a value as it looks, filling the picture; `near` is the part of it that is shown, in the middle."""
    figure = plt.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=300)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    draw(axis, value, background)
    (x0, x1), (y0, y1) = axis.get_xlim(), axis.get_ylim()
    wide, high = abs(x1 - x0), abs(y1 - y0) * (axis.get_aspect() if axis.get_aspect() != "auto" else 1.0)
    scale = min(wide / SIZE[0], high / SIZE[1]) * near / 2
    stretch = 1 if high == abs(y1 - y0) else abs(y1 - y0) / high
    axis.set_xlim((x0 + x1) / 2 - SIZE[0] * scale, (x0 + x1) / 2 + SIZE[0] * scale)
    axis.set_ylim((y0 + y1) / 2 + SIZE[1] * scale * stretch, (y0 + y1) / 2 - SIZE[1] * scale * stretch)
    memory = io.BytesIO()
    figure.savefig(memory, format="png", facecolor="black")
    plt.close(figure)
    picture = Picture.open(memory).convert("RGB").resize(SIZE, Picture.Resampling.LANCZOS)
    return np.asarray(picture)


def _table(ground: np.ndarray) -> np.ndarray:
    """Return the picture of a table, for techniques that give numbers."""
    sheet = np.full_like(ground, 232)
    for row, top in enumerate(range(8, SIZE[1] - 8, 14)):
        sheet[top : top + 10, SIZE[0] // 2 + 8 : -8] = 150 if row == 0 else 206
        for column in range(SIZE[0] // 2 + 14, SIZE[0] - 20, 20):
            sheet[top + 3 : top + 7, column : column + (5 + 7 * row + column) % 11 + 3] = 60 if row else 245
    return sheet


def _halves(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    middle = SIZE[0] // 2
    both = np.concatenate([left[:, :middle], right[:, middle:]], axis=1)
    both[:, middle - 1 : middle + 1] = 255
    return both


def _compressed(pixels: np.ndarray) -> bytes:
    for quality in (80, 65, 50, 35, 20):
        memory = io.BytesIO()
        Picture.fromarray(pixels).save(memory, format="webp", quality=quality, method=6)
        if memory.tell() <= MOST_BYTES:
            break
    return memory.getvalue()


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
