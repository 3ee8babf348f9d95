"""One real viewer per worker, and the events that make a dock run."""

from __future__ import annotations

import gc
import importlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.widgets.gate import IMAGE, Gate

os.environ.setdefault("NAPARI_CONFIG", f"{tempfile.mkdtemp(prefix='napari-config-')}/settings.yaml")


def process_until(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    """Run Qt's event loop until something holds."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + timeout
    while not condition():
        QApplication.processEvents()
        time.sleep(0.002)
        assert time.monotonic() < end, "nothing happened in time"


def press(button: Any) -> None:
    """Click a button as a user does."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def new_viewer() -> Any:
    """Return a hidden viewer that was shown once: a canvas never shown draws into the context of another one."""
    import napari

    viewer = napari.Viewer(show=False)
    native = viewer.window._qt_viewer.canvas.native
    viewer.window._qt_window.show()
    process_until(lambda: native.context() is not None and native.isValid())
    viewer.window._qt_window.hide()
    return viewer


@pytest.fixture(scope="session")
def _window() -> Iterator[Any]:
    pytest.importorskip("napari")
    for name in ("cv2", "numba", "pandas", "scipy.ndimage", "SimpleITK", "skimage"):
        importlib.import_module(name)
    viewer = new_viewer()
    gc.freeze()  # napari collects garbage whenever a layer goes: libraries need not be searched each time
    yield viewer
    viewer.close()
    process_until(lambda: True)


@pytest.fixture
def viewer(_window: Any) -> Iterator[Any]:
    """An empty viewer without docks of ours and without notifications."""
    from napari.utils.notifications import notification_manager

    notification_manager.records.clear()
    yield _window
    _window.window.remove_dock_widget("all")
    _window.layers.clear()
    _window.dims.ndisplay = 2
    process_until(lambda: True)


@pytest.fixture
def open_dock(viewer: Any) -> Callable[[str], Any]:
    """Open the dock of a technique in the viewer as napari's menu does."""

    def opened(technique_id: str) -> Any:
        from napari_lightbox.widgets import entry

        dock = getattr(entry, technique_id)(viewer)
        viewer.window.add_dock_widget(dock, name=f"{technique_id} (Lightbox)")
        return dock

    return opened


@pytest.fixture
def run_dock() -> Callable[[Any], None]:
    """Press Run and wait for the end."""

    def ran(dock: Any) -> None:
        press(dock.bar.run)
        process_until(lambda: not dock.bar.busy)

    return ran


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate(IMAGE)
    yield made
    made.open()
