"""The before and after picture of a technique: run it on a fitting sample and draw what goes in and comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from technique_inputs import SETTINGS, inputs_for

import napari_lightbox as lb
from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Points, Shapes, Table, Vectors

if TYPE_CHECKING:
    from pathlib import Path

    from napari_lightbox.contract import Technique

_WIDTH = 3.2
_ROWS_SHOWN = 6


def draw_example(technique: Technique, path: Path) -> str:
    """Write the picture to `path`; return Markdown for what a picture cannot show, such as a table."""
    inputs = inputs_for(technique)
    while inputs and inputs[-1] is None:
        inputs.pop()
    result = lb.apply(technique, *inputs, compute=True, **SETTINGS.get(technique.id, {}))
    outputs = list(result) if len(technique.outputs) > 1 else [result]
    panels: list[tuple[str, Any, Any]] = []
    for spec, value in zip(technique.inputs, inputs, strict=False):
        volumes = value if isinstance(value, list) else [value]
        panels += [(spec.name, v, None) for v in volumes if isinstance(v, Volume)]
    background = panels[0][1]
    words = []
    for spec, value in zip(technique.outputs, outputs, strict=True):
        if isinstance(value, Volume | Points | Shapes | Vectors):
            panels.append((spec.name, value, background))
        elif value is not None:
            words.append(_in_words(spec.name, value))
    _save(panels[:6], path)
    return "\n\n".join(words)


def _save(panels: list[tuple[str, Any, Any]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(_WIDTH * len(panels), _WIDTH), squeeze=False, layout="constrained")
    for (name, value, background), axis in zip(panels, axes[0], strict=True):
        axis.set_title(name.replace("_", " "), fontsize=9)
        axis.axis("off")
        draw(axis, value, background)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, pil_kwargs={"optimize": True})
    plt.close(figure)


def draw(axis: Any, value: Any, background: Volume | None) -> None:
    """Draw pixels, or marks over the pixels of `background`."""
    if isinstance(value, Volume):
        _draw_volume(axis, value)
        return
    if background is not None:
        _draw_volume(axis, background)
    if isinstance(value, Points):
        axis.plot(value.data[:, -1], value.data[:, -2], "+", color="tab:orange", markersize=5)
    elif isinstance(value, Shapes):
        for vertices in value.data:
            axis.plot(np.asarray(vertices)[:, -1], np.asarray(vertices)[:, -2], color="tab:orange", linewidth=1)
    elif isinstance(value, Vectors):
        start, step = value.data[:, 0], value.data[:, 1]
        axis.quiver(start[:, -1], start[:, -2], step[:, -1], step[:, -2], angles="xy", color="tab:orange")


def _draw_volume(axis: Any, volume: Volume) -> None:
    plane = _plane(volume)
    spacing = dict(zip(volume.axes, volume.geometry.spacing, strict=True))
    aspect = spacing.get("y", 1.0) / spacing.get("x", 1.0)
    if volume.role == "labels":
        axis.imshow(_coloured(plane), aspect=aspect, interpolation="nearest")
    elif plane.ndim == 3:
        top = 255 if plane.dtype == np.uint8 else max(float(plane.max()), 1e-12)
        axis.imshow(np.clip(plane / top, 0, 1), aspect=aspect)
    else:
        low, high = np.percentile(plane[np.isfinite(plane)].astype(float), (0.5, 99.5)) if np.isfinite(plane).any() else (0, 1)
        axis.imshow(plane, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), aspect=aspect, interpolation="nearest")


def _plane(volume: Volume) -> Any:
    """Return the plane (y, x) or (y, x, c) to look at: late in time, the middle of everything else."""
    data = np.asarray(volume.data)
    keep = [a for a in "yx" if a in volume.axes]
    colour = volume.axes.endswith("c") and data.shape[-1] in (3, 4)
    index = tuple(
        slice(None) if a in keep or (a == "c" and colour) else (n * 4 // 5 if a == "t" else n // 2)
        for a, n in zip(volume.axes, data.shape, strict=True)
    )
    plane = data[index]
    return plane[None] if plane.ndim == 1 else plane


def _coloured(labels: Any) -> Any:
    colours = np.random.default_rng(4).uniform(0.25, 1, (256, 3))
    colours[0] = 0
    return colours[np.where(labels > 0, (labels - 1) % 255 + 1, 0).astype(int)]


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, Table):
        return f"`{name}`, first rows:\n\n{_table(value)}"
    if isinstance(value, float | int | np.ndarray | np.generic):
        return f"`{name}`: {np.array2string(np.asarray(value), precision=4, threshold=8)}"
    return ""


def _table(table: Table) -> str:
    names = list(table)[:8]
    heads = [f"{n} ({table.units[n]})" if n in table.units else n for n in names]
    rows = [[_cell(row[n]) for n in names] for row in table.rows()[:_ROWS_SHOWN]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, ["---"] * len(heads), *rows])


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
