"""Docks of ours stand behind one another, however they are opened."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow
from tests.widgets.conftest import process_until

pytestmark = pytest.mark.gui


def opened(viewer: Any, name: str) -> QDockWidget:
    """Open a dock as napari's menu does."""
    dock, _ = viewer.window.add_plugin_dock_widget("napari-lightbox", name)
    process_until(lambda: dock.windowTitle() == name)
    return dock


def titles_behind(viewer: Any, dock: QDockWidget) -> set[str]:
    return {other.windowTitle() for other in viewer.window._qt_window.tabifiedDockWidgets(dock)}


def test_docks_from_the_menu_become_tabs(viewer: Any) -> None:
    first = opened(viewer, "Annotate")
    second = opened(viewer, "Recipe")
    process_until(lambda: titles_behind(viewer, second) != set())
    third = opened(viewer, "Server")
    process_until(lambda: len(titles_behind(viewer, third)) == 2)
    assert titles_behind(viewer, third) == {"Annotate", "Recipe"}
    window = viewer.window._qt_window
    assert window.dockWidgetArea(third) == window.dockWidgetArea(first) == Qt.DockWidgetArea.RightDockWidgetArea


def test_the_newest_is_in_front(viewer: Any) -> None:
    """In a window without a canvas, whose drawing needs OpenGL."""
    from napari_lightbox.widgets.docked import Docked

    window, docks = QMainWindow(), []
    window.show()
    for name in ("one", "two", "three"):
        docks.append(QDockWidget(name, window))
        docks[-1].setWidget(Docked(name))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, docks[-1])
        process_until(lambda: [not dock.visibleRegion().isEmpty() for dock in docks] == [False] * (len(docks) - 1) + [True])
    window.close()


def test_docks_of_others_are_left_where_they_are(viewer: Any) -> None:
    foreign = viewer.window.add_dock_widget(QLabel("another plugin"), name="foreign", area="right")
    own = opened(viewer, "Annotate")
    assert titles_behind(viewer, own) == set()
    assert titles_behind(viewer, foreign) == set()


def test_on_another_side_a_dock_stays_alone(viewer: Any) -> None:
    opened(viewer, "Annotate")
    from napari_lightbox.widgets.server_dock import ServerDock

    below = viewer.window.add_dock_widget(ServerDock(viewer), name="Server", area="bottom")
    process_until(lambda: below.windowTitle() == "Server")
    assert titles_behind(viewer, below) == set()
