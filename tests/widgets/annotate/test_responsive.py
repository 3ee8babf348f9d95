"""The window goes on while engines run and results are written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from qtpy.QtCore import QTimer
from tests.widgets.annotate.conftest import paint_all, settle, two_discs
from tests.widgets.conftest import press

from napari_lightbox.engine import local
from napari_lightbox.widgets.annotate import steps

pytestmark = pytest.mark.gui

TURNS = 3


def test_window_turns_while_an_engine_runs_and_while_it_is_accepted(
    viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run waits for turns of the event loop, so that a window that waited for the run would never see its end."""
    image, _ = two_discs(48)
    viewer.add_image(image, name="volume", axis_labels=tuple("zyx"))
    viewer.dims.set_current_step(0, 24)
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    dock.panel.live.setChecked(False)
    paint_all(dock, seeds, stroke)
    dock.panel.choose_scope("volume")
    dock.panel.choose_engine("random_walker")
    turned, turns, held, execute = threading.Event(), [0], [], local.execute

    def waiting(*arguments: Any) -> Any:
        turns[0] = 0
        turned.clear()
        held.append(turned.wait(30))
        return execute(*arguments)

    def tick() -> None:
        turns[0] += 1
        if turns[0] >= TURNS:
            turned.set()

    monkeypatch.setattr(local, "execute", waiting)
    probe = QTimer()
    probe.setInterval(0)
    probe.timeout.connect(tick)
    probe.start()
    press(dock.bar.run)
    settle(dock)
    assert held
    assert all(held), "the window stood still until the engine was done"
    # short slices, so that a fast machine needs several of them, too
    monkeypatch.setattr(steps, "_SLICE_SECONDS", 1e-4)
    turns[0] = 0
    press(dock.panel.accept)
    settle(dock)
    probe.stop()
    assert turns[0] >= TURNS
