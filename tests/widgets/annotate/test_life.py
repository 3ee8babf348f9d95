"""Opened as napari opens it, closed without a trace."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.widgets.annotate.conftest import settle, two_discs
from tests.widgets.conftest import new_viewer, press, process_until

pytestmark = pytest.mark.gui


def open_handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_opening_and_closing_leaves_nothing(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    from qtpy.QtWidgets import QApplication

    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))

    def once() -> Any:
        dock = AnnotateDock(viewer)
        viewer.window.add_dock_widget(dock, name="Annotate")
        if "discs seeds" in viewer.layers:
            dock.panel.seeds.choose(viewer.layers["discs seeds"])
        else:
            press(dock.panel.new)
        seeds = dock.panel.seeds.chosen()
        viewer.layers.selection.active = seeds
        seeds.mode, seeds.selected_label = "paint", 1
        stroke(seeds, (36, 30), (44, 40))
        settle(dock)
        stroke(seeds, (46, 30), (48, 40))
        gone = weakref.ref(dock)
        viewer.window.remove_dock_widget(viewer.window._wrapped_dock_widgets["Annotate"])
        return gone

    def counts() -> tuple[int, ...]:
        seeds = viewer.layers["discs seeds"]
        events = [viewer.layers.events.inserted, viewer.dims.events.current_step, seeds.events.paint, seeds.events.labels_update]
        callbacks = sum(len(emitter.callbacks) for emitter in events)
        # napari keeps nine widgets of the frame it puts around any dock
        frames = ("QtViewerDockWidget", "QtCustomTitleBar")
        widgets = [w for w in QApplication.allWidgets() if not {type(w).__name__, type(w.parent()).__name__} & set(frames)]
        return len(widgets), threading.active_count(), open_handles(), callbacks, len(viewer.keymap)

    for _ in range(3):
        gone = once()
        process_until(lambda gone=gone: gc.collect() >= 0 and gone() is None, timeout=20)
    before = counts()
    for _ in range(20):
        gone = once()
    process_until(lambda: gc.collect() >= 0 and gone() is None, timeout=20)
    found = [counts()]
    # whoever writes the journal opens its file now and then; files that earlier tests left open may be closed meanwhile
    process_until(lambda: found.append(counts()) or found[-1][2] <= before[2], timeout=20)
    after = found[-1]
    assert (*after[:2], *after[3:]) == (*before[:2], *before[3:])
    assert [layer.name for layer in viewer.layers] == ["discs", "discs seeds"]


def test_dock_works_behind_the_proxy_napari_gives_to_plugins(viewer: Any, stroke: Callable[..., None]) -> None:
    from napari.utils._proxies import PublicOnlyProxy

    from napari_lightbox.widgets.annotate import session
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    dock = AnnotateDock(PublicOnlyProxy(viewer))
    viewer.window.add_dock_widget(dock, name="Annotate")
    try:
        press(dock.panel.new)
        stroke(dock.panel.seeds.chosen(), (36, 30), (44, 40))
        settle(dock)
        assert dock.segmenting.preview.layer.data.any()
    finally:
        dock.shut_down()
        session._sessions.pop(id(viewer)).close()


def test_closing_the_window_ends_the_session(annotate: Callable[[], Any], viewer: Any) -> None:
    from napari_lightbox.widgets.annotate import session
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    other = new_viewer()
    image, _ = two_discs()
    other.add_image(image, axis_labels=tuple("yx"))
    dock = AnnotateDock(other)
    other.window.add_dock_widget(dock, name="Annotate")
    press(dock.panel.new)
    dock.panel.seeds.chosen().paint((40, 40), 1)
    journal = dock.session._diary._journal.path
    assert journal.exists()
    key = id(other)
    other.close()
    process_until(lambda: key not in session._sessions)
    assert not journal.exists()


def test_manifest_offers_the_dock() -> None:
    from napari_lightbox.widgets import manifest

    built = manifest.build()["contributions"]
    [command] = [c for c in built["commands"] if c["id"] == "napari-lightbox.annotate"]
    module, _, name = command["python_name"].partition(":")
    assert module == "napari_lightbox.widgets.annotate.dock"
    assert name == "AnnotateDock"
    assert {"command": "napari-lightbox.annotate", "display_name": "Annotate"} in built["widgets"]
