"""Drive a real napari window and print, as JSON, how long it was deaf: ``xvfb-run -a python -m benchmarks.window_session``."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_annotate import Scene, scenes
from napari_lightbox.contract import registry
from napari_lightbox.contract.values import Table
from napari_lightbox.settings import override
from napari_lightbox.testing import Hand

WINDOW = (1280, 800)
STROKES = 5
# turns of the event loop after which a new layer and a new dock are drawn
DRAWN = 50


def say(what: str, **figures: Any) -> dict[str, Any]:
    """Return a row, and show it to whoever waits."""
    row = {"what": what, **figures}
    print("  ".join([f"{what:62}", *(f"{k} {v:7.1f}" for k, v in figures.items())]), file=sys.stderr, flush=True)
    return row


def annotate(hand: Hand, scene: Scene) -> Iterator[dict[str, Any]]:
    """Correct a segmentation by strokes with every engine, and accept it."""
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    viewer, ndim = hand.viewer, scene.image.ndim
    viewer.add_image(scene.image, name="image", axis_labels=tuple(scene.axes))
    place = np.argwhere(scene.seeds == 1)
    beside = np.argwhere(scene.seeds == 2)
    for axis in range(ndim - 2):
        viewer.dims.set_current_step(axis, int(place[0, axis]))
    dock = hand.dock(AnnotateDock(viewer), "Annotate (Lightbox)")
    hand.press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    seeds.brush_size, seeds.selected_label = 2, 2
    for engine in [e.id for e in dock.panel.engines]:
        seeds.data = scene.seeds.copy()
        row, column = (int(n) for n in beside[:, -2:].max(axis=0))
        dock.panel.choose_engine(engine)
        dock.panel.choose_scope("plane" if ndim == 2 else "volume")
        hand.wait(lambda: not dock.busy)
        hand.press(dock.bar.run)
        hand.wait(lambda: not dock.busy)
        times, gaps = [], []
        for _ in range(STROKES):
            column += 3  # background that was not painted so far
            released = hand.stroke(seeds, (row - 4, column), (row, column))
            gaps.append(hand.wait(lambda: not dock.busy))
            times.append(time.perf_counter() - released)
        hand.press(dock.panel.accept)
        accepting = hand.wait(lambda: not dock.busy)
        taken = {"release_to_preview_ms": 1e3 * statistics.median(times), "accept_gap_ms": 1e3 * accepting}
        yield say(f"annotate {scene.name}, {engine}", gap_ms=1e3 * max(gaps), **taken)
    viewer.window.remove_dock_widget(dock)


def recipe(hand: Hand) -> Iterator[dict[str, Any]]:
    """Change a parameter at the beginning of a chain and wait for its end."""
    from napari_lightbox.widgets.recipe_dock import RecipeDock

    scene = scenes()[3]
    layer = hand.viewer.add_image(scene.image, name="image", axis_labels=tuple(scene.axes))
    for technique in ("gaussian_blur", "threshold_otsu", "connected_components"):
        layer = run_dock(hand, technique, layer)
    start = time.perf_counter()
    dock = hand.dock(RecipeDock(hand.viewer), "Recipe (Lightbox)")
    hand.wait(lambda: not dock.busy)
    yield say("recipe: open", gap_ms=1e3 * (time.perf_counter() - start))
    first = next(row for row in dock.steps.rows.rows if row.title == "Gaussian blur")
    start = time.perf_counter()
    dock.steps.choose(first.key)
    gap = hand.wait()
    yield say("recipe: choose a step", gap_ms=1e3 * max(gap, time.perf_counter() - start))
    gaps = []
    for sigma in (1.5, 2.0, 2.5):
        dock.steps.panel.form.set_values({"sigma": sigma})
        gaps.append(hand.wait(lambda: not dock.busy))
    yield say("recipe: change upstream of three steps, 128^3", gap_ms=1e3 * max(gaps))
    hand.viewer.window.remove_dock_widget(dock)


def run_dock(hand: Hand, technique: str, layer: Any) -> Any:
    """Run a technique in its dock on a layer and return the result."""
    from napari_lightbox.widgets.technique_dock import dock_class

    dock = hand.dock(dock_class(registry.get(technique))(hand.viewer), technique)
    next(iter(dock.inputs.choosers.values())).choose(layer)
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.bar.busy)
    hand.viewer.window.remove_dock_widget(dock)
    hand.viewer.layers.selection = {hand.viewer.layers[-1]}
    return hand.viewer.layers[-1]


def train(hand: Hand) -> Iterator[dict[str, Any]]:
    """Load torch and train a U-Net for a few epochs."""
    from napari_lightbox.samples import cells
    from napari_lightbox.widgets.train_dock import TrainDock

    image, labels = cells((256, 256), count=60, seed=0)
    shown = hand.viewer.add_image(image.data, name="cells", axis_labels=("y", "x"))
    truth = hand.viewer.add_labels(labels.data, name="truth", axis_labels=("y", "x"))
    dock = hand.dock(TrainDock(hand.viewer), "Train a U-Net (Lightbox)")
    dock.source.rows[0].image.choose(shown)
    dock.source.rows[0].labels.choose(truth)
    for name, value in {"levels": 3, "width": 16, "patch": 64, "epochs": 3, "steps": 20, "merge": True}.items():
        dock.fields[name].set_value(value)
    for _ in range(DRAWN):
        hand.wait()
    yield say("train: torch is loaded", gap_ms=1e3 * hand.wait(dock.bar.run.isEnabled))
    start = time.perf_counter()
    hand.press(dock.bar.run)
    pressed = time.perf_counter() - start
    starting = hand.wait(lambda: dock.job is not None and dock.job.progress is not None)
    yield say("train: from the click to the first step", gap_ms=1e3 * max(pressed, starting))
    yield say("train: three epochs", gap_ms=1e3 * hand.wait(lambda: dock.job.status not in ("queued", "running")))
    yield say("train: what it learned is shown as a new layer", gap_ms=1e3 * hand.wait(lambda: not dock.bar.busy))
    hand.viewer.window.remove_dock_widget(dock)


def find(hand: Hand) -> Iterator[dict[str, Any]]:
    """Type among five hundred techniques, and page through them."""
    from napari_lightbox.widgets.finder_dock import FinderDock
    from napari_lightbox.widgets.finder_memory import FinderMemory

    techniques = registry.find(kind="technique")
    many = [replace(t, id=f"{t.id}_{i}" if i else t.id) for i in range(9) for t in techniques][:500]
    for technique in many:
        _ = technique.signature  # a registry reads them when it loads
    with tempfile.TemporaryDirectory() as folder:
        dock = hand.dock(FinderDock(hand.viewer, FinderMemory(Path(folder) / "memory.json"), many), "Find")
        gaps = []
        for name in [*"GAUSSIAN", *["Backspace"] * 4, *"SMOO", *["Backspace"] * 8, *["PageDown"] * 20]:
            start = time.perf_counter()
            hand.key(dock.search, name)
            gaps.append(time.perf_counter() - start)
        yield say("finder: slowest of 44 keys among 500 techniques", gap_ms=1e3 * max(gaps))
        start = time.perf_counter()
        hand.viewer.add_image(np.zeros((4, 20, 20), np.float32), axis_labels=tuple("zyx"))
        hand.wait()
        yield say("finder: another layer is judged", gap_ms=1e3 * (time.perf_counter() - start))
        hand.viewer.window.remove_dock_widget(dock)


def table(hand: Hand) -> Iterator[dict[str, Any]]:
    """Sort, filter, plot and select 50,000 rows of 11 columns."""
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.table_dock import TableDock

    count, rng = 50_000, np.random.default_rng(0)
    rows = Table({"label": np.arange(1, count + 1)} | {f"column {i}": rng.normal(size=count) for i in range(10)})
    layer = hand.viewer.add_labels((np.arange(1000 * 1000) // 20 + 1).reshape(1000, 1000).astype(np.int32))
    start = time.perf_counter()
    dock = TableDock(rows, hand.viewer, layer)
    hand.dock(dock, "Table", area="bottom")
    yield say("table of 50,000: open", gap_ms=1e3 * (time.perf_counter() - start))
    steps = {
        "sort": lambda: dock.view.sortByColumn(3, Qt.SortOrder.DescendingOrder),
        "filter": lambda: dock.filter.setText("`column 1` > 0 and label != 3"),
        "plot": lambda: dock.plot.switch.setChecked(True),
        "select half, scattered": lambda: dock.select(rows["column 2"] > 0),
        "sort with a selection": lambda: dock.view.sortByColumn(4, Qt.SortOrder.AscendingOrder),
        "select all": dock.view.selectAll,
        "scroll": dock.view.scrollToBottom,
    }
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        hand.wait()
        yield say(f"table of 50,000: {name}", gap_ms=1e3 * (time.perf_counter() - start))
    hand.viewer.window.remove_dock_widget(dock)


def main() -> None:
    """Do the day's work in one window."""
    import napari

    viewer = napari.Viewer(title="Benchmark")
    viewer.window.resize(*WINDOW)
    hand, rows = Hand(viewer), []
    parts = [train, *(lambda hand, s=s: annotate(hand, s) for s in scenes()), recipe, find, table]
    with tempfile.TemporaryDirectory() as cache, override(cache_folder=Path(cache)):
        for part in parts:
            rows += list(part(hand))
            viewer.layers.clear()
            hand.wait()
        viewer.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
