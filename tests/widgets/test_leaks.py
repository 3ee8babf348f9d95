"""Opening and closing docks again and again leaves no widget, thread, file handle or growing memory."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from importlib import import_module
from typing import Any

import numpy as np
import psutil
import pytest
from tests.widgets.conftest import process_until

from napari_lightbox.widgets import manifest

pytestmark = pytest.mark.gui

_WARM = 2
_BYTES_PER_DOCK = (
    32 * 2**10
)  # Qt's Python binding keeps about 45 KiB for every dock of twenty plain line edits, without any code of ours
_OBJECTS_PER_DOCK = 1


def dock_classes() -> dict[str, str]:
    """Return where each dock of the manifest comes from, by command."""
    contributions = manifest.build()["contributions"]
    commands = {command["id"]: command["python_name"] for command in contributions["commands"]}
    return {widget["command"]: commands[widget["command"]] for widget in contributions["widgets"]}


def make(python_name: str) -> Any:
    module, _, name = python_name.partition(":")
    return getattr(import_module(module), name)


def flush() -> None:
    """Let Qt delete what was handed to it for deletion."""
    from qtpy.QtCore import QCoreApplication, QEvent
    from qtpy.QtWidgets import QApplication

    for _ in range(3):
        QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _files() -> int:
    """Return how many files stay open: other threads of the process, such as the monitor of a cluster, open one for a moment."""
    if not hasattr(psutil.Process, "num_fds"):
        return 0
    counts = []
    for _ in range(10):
        counts.append(psutil.Process().num_fds())
        time.sleep(0.01)
    return min(counts)


def census(viewer: Any) -> dict[str, int]:
    """Count what must not grow."""
    from qtpy.QtWidgets import QApplication

    gc.collect()
    flush()
    events = (viewer.layers.events, viewer.layers.selection.events, viewer.dims.events, viewer.events)
    layers = [layer.events for layer in viewer.layers]
    callbacks = sum(len(e.callbacks) for group in (*events, *layers) for e in group.emitters.values())
    return {
        "widgets": len(QApplication.allWidgets()),
        "threads": threading.active_count(),
        "files": _files(),
        "callbacks": callbacks,
        "objects": len(gc.get_objects()),
    }


def open_and_close(viewer: Any, cls: Any) -> weakref.ref[Any]:
    dock = cls(viewer)
    outer = viewer.window.add_dock_widget(dock, name="under test", tabify=True)
    flush()
    live = getattr(dock, "live", None)
    if live is not None:
        live.setChecked(True)
        flush()
    gone = weakref.ref(dock)
    viewer.window.remove_dock_widget(outer)
    return gone


def rounds(viewer: Any, names: list[str], count: int) -> tuple[list[dict[str, int]], list[int], list[str]]:
    """Open and close docks; return the counts and the memory after each round, and the docks that stayed."""
    viewer.add_image(np.random.default_rng(0).integers(0, 200, (4, 30, 40)).astype(np.uint8), axis_labels=tuple("zyx"))
    layer = viewer.add_labels(np.arange(4 * 30 * 40).reshape(4, 30, 40) // 600, axis_labels=tuple("zyx"))
    layer.features = {"index": np.arange(1, 8), "label": np.arange(1, 8), "area": np.arange(7.0)}
    viewer.add_points(np.zeros((3, 3)))
    counted, memory, stayed = [], [], []
    for _ in range(count):
        for name in names:
            gone = open_and_close(viewer, make(name))
            flush()
            if gone() is not None:
                gc.collect()
                flush()
                stayed += [name] if gone() is not None else []
        counted.append(census(viewer))
        memory.append(psutil.Process().memory_info().rss)
    return counted, memory, stayed


def check(counted: list[dict[str, int]], memory: list[int], stayed: list[str]) -> None:
    growth = [(b - a) / 2**20 for a, b in zip(memory, memory[1:], strict=False)]
    print(
        f"\nafter round {_WARM}: {counted[_WARM - 1]}\nat the end:   {counted[-1]}\nMB per round: {[f'{g:.1f}' for g in growth]}"
    )
    assert stayed == []
    for name in ("widgets", "files", "callbacks"):
        assert counted[-1][name] <= counted[_WARM - 1][name], name
    assert counted[-1]["threads"] <= counted[_WARM - 1]["threads"] + 1, "a pool may still start its second thread"


SAMPLE = ("find_technique", "tables", "gaussian_blur", "threshold_otsu", "random_walker", "region_properties")


def test_a_few_docks_three_times(viewer: Any) -> None:
    chosen = [name for command, name in dock_classes().items() if command.rpartition(".")[2] in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    check(*rounds(viewer, chosen, 3))


def test_a_table_dock_that_was_used(viewer: Any, qtbot: Any) -> None:
    from napari_lightbox.contract.values import Table
    from napari_lightbox.widgets.table_dock import TableDock

    layer = viewer.add_labels(np.arange(1200).reshape(30, 40) // 400)
    own, callbacks = layer.colormap, list(layer.mouse_drag_callbacks)
    before = census(viewer)
    for _ in range(3):
        dock = TableDock(Table({"label": np.array([1, 2]), "area": np.array([1.0, 2.0])}), viewer, layer)
        outer = viewer.window.add_dock_widget(dock, name="table", area="bottom")
        dock.plot.switch.setChecked(True)
        dock.view.selectRow(1)
        dock.paint.column.setCurrentIndex(1)
        flush()
        gone = weakref.ref(dock)
        del dock
        viewer.window.remove_dock_widget(outer)
        del outer
        process_until(lambda g=gone: gc.collect() >= 0 and g() is None, timeout=10)
    after = census(viewer)
    assert layer.colormap == own
    assert after["callbacks"] == before["callbacks"]
    assert after["widgets"] <= before["widgets"]
    assert list(layer.mouse_drag_callbacks) == callbacks


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_dock_twenty_times(viewer: Any) -> None:
    counted, memory, stayed = rounds(viewer, list(dock_classes().values()), 20)
    check(counted, memory, stayed)
    docks = 10 * len(dock_classes())
    late = (memory[-1] - memory[9]) / docks
    objects = (counted[-1]["objects"] - counted[9]["objects"]) / docks
    print(f"rounds 10 to 20: {memory[9] / 2**20:.0f} to {memory[-1] / 2**20:.0f} MB")
    print(f"per dock: {late / 2**10:.1f} KiB, {objects:.2f} Python objects")
    assert late < _BYTES_PER_DOCK
    assert objects < _OBJECTS_PER_DOCK
