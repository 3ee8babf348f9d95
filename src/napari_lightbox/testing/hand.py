"""A person's mouse, keyboard and eyes on a viewer, for tests, benchmarks and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PAUSE_SECONDS = 0.002
# VisPy ignores moves within 10 ms of another one, and napari holds them back for 5 ms, perhaps until after the release
MOVE_MS = 15


class Hand:
    """Drives a viewer with real events of Qt.

    Parameters
    ----------
    viewer
        A napari viewer.
    folder
        Where pictures go.
    """

    def __init__(self, viewer: Any, folder: Path | None = None) -> None:
        self.viewer = viewer
        self.folder = Path() if folder is None else folder
        # napari has no public way to the canvas
        self.canvas = viewer.window._qt_viewer.canvas  # noqa: SLF001
        self.pictures = 0

    def wait(self, done: Callable[[], bool] = lambda: True, seconds: float = 900.0) -> float:
        """Let the window live until something holds.

        Returns
        -------
        float
            Longest time in seconds between two turns of the event loop, when the window was deaf to the user.

        Raises
        ------
        TimeoutError
            It did not come to hold in time.
        """
        from qtpy.QtWidgets import QApplication

        last, gap = time.perf_counter(), 0.0
        end = last + seconds
        while True:
            QApplication.processEvents()
            now = time.perf_counter()
            last, gap = now, max(gap, now - last)
            if done():
                return gap
            if now > end:
                raise TimeoutError(f"{done} did not come to hold within {seconds} s")
            time.sleep(PAUSE_SECONDS)

    def press(self, button: Any) -> None:
        """Click a button.

        Raises
        ------
        RuntimeError
            It is greyed out.
        """
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if not button.isEnabled():
            raise RuntimeError(f"the button {button.text()!r} cannot be pressed")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.wait()

    def type(self, widget: Any, text: str) -> None:
        """Write into a field."""
        from qtpy.QtTest import QTest

        QTest.keyClicks(widget, text)
        self.wait()

    def key(self, widget: Any, key: str, modifier: str = "NoModifier") -> None:
        """Press one key, named as in ``Qt.Key``."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        QTest.keyClick(widget, getattr(Qt.Key, f"Key_{key}"), getattr(Qt.KeyboardModifier, modifier))
        self.wait()

    def stroke(self, layer: Any, *points: Sequence[float], release: bool = True) -> float:
        """Drag the mouse over the canvas through positions in pixels of a layer's two displayed axes.

        Returns
        -------
        float
            When the button was released, on the clock of ``time.perf_counter``.
        """
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self.wait()
        places = [self._on_canvas(layer, p) for p in points]
        QTest.mouseMove(self.canvas.native, places[0])
        self._rest(MOVE_MS)
        QTest.mousePress(self.canvas.native, Qt.MouseButton.LeftButton, pos=places[0])
        for place in places[1:]:
            self._rest(MOVE_MS)
            QTest.mouseMove(self.canvas.native, place)
        self._rest(MOVE_MS)
        released = time.perf_counter()
        if release:
            QTest.mouseRelease(self.canvas.native, Qt.MouseButton.LeftButton, pos=places[-1])
        return released

    def picture(self, name: str) -> None:
        """Photograph the window."""
        self.pictures += 1
        self.wait()
        self.viewer.screenshot(path=str(self.folder / f"{self.pictures:02}-{name}.png"), canvas_only=False, flash=False)

    def dock(self, widget: Any, title: str, area: str = "right") -> Any:
        """Open a dock as napari's menu does."""
        self.viewer.window.add_dock_widget(widget, name=title, area=area, tabify=area == "right")
        self.wait()
        return widget

    def _rest(self, milliseconds: int) -> None:
        """Let the window live until a timer rings, and with it all timers that were to ring before."""
        from qtpy.QtCore import QTimer

        rung: list[bool] = []
        QTimer.singleShot(milliseconds, lambda: rung.append(True))
        self.wait(lambda: bool(rung))

    def _on_canvas(self, layer: Any, point: Sequence[float]) -> Any:
        from qtpy.QtCore import QPoint

        dims = self.viewer.dims
        shown = [axis - dims.ndim for axis in dims.displayed[-2:]]
        index = np.asarray(layer.world_to_data(dims.point[-layer.ndim :]), float)
        index[shown] = point
        world = np.asarray(layer.data_to_world(index))[shown]
        target = self.canvas.view.scene.node_transform(self.canvas._scene_canvas.scene)  # noqa: SLF001
        return QPoint(*np.rint(np.asarray(target.map(world[::-1])[:2])).astype(int).tolist())
