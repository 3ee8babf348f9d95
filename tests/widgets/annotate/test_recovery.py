"""What a killed napari leaves behind comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import paint_all, settle
from tests.widgets.conftest import press

from napari_lightbox.settings import settings

pytestmark = pytest.mark.gui

SESSION = """
import os, signal, sys, numpy as np
from napari.components import ViewerModel
from napari_lightbox.settings import override
from napari_lightbox.widgets.annotate.session import Session
with override(cache_folder=sys.argv[1]):
    viewer = ViewerModel()
    held = np.zeros((3, 40, 50), np.int32)
    held[0, :4] = 6
    layer = viewer.add_labels(held, name="tumour", scale=(3, 1, 1), units=("mm",) * 3)
    session = Session(viewer)
    session.record(layer)
    layer.paint((1, 20, 20), 2)
    layer.fill((0, 1, 1), 7)
    layer.undo()
    layer.paint_polygon([(2, 5, 5), (2, 5, 30), (2, 30, 30)], 3)
    np.save(sys.argv[2], layer.data)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_session_is_offered_restored_and_then_forgotten(viewer: Any, annotate: Callable[[], Any], tmp_path: Path) -> None:
    saved = tmp_path / "held.npy"
    arguments = [sys.executable, "-c", SESSION, str(settings().cache_folder), str(saved)]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    wanted = np.load(saved)
    dock = annotate()
    assert not dock.banner.isHidden()
    assert "can be restored" in dock.banner.text.text()
    press(dock.banner.restore)
    settle(dock)
    layer = viewer.layers["tumour (recovered)"]
    np.testing.assert_array_equal(layer.data, wanted)
    assert set(np.unique(wanted)) == {0, 2, 3, 6}
    np.testing.assert_array_equal(layer.scale, (3, 1, 1))
    assert dock.banner.isHidden()
    dock.shut_down()
    assert annotate().banner.isHidden()


def test_restored_labels_are_under_watch_again(viewer: Any, annotate: Callable[[], Any], tmp_path: Path) -> None:
    from napari_lightbox.interaction.recovery import pending, recover
    from napari_lightbox.widgets.annotate.diary import journal_folder

    saved = tmp_path / "held.npy"
    subprocess.run([sys.executable, "-c", SESSION, str(settings().cache_folder), str(saved)], check=False, timeout=120)
    dock = annotate()
    press(dock.banner.restore)
    settle(dock)
    layer = viewer.layers["tumour (recovered)"]
    [path] = list(journal_folder().glob("*.lightbox-journal"))
    [found] = recover(path)
    np.testing.assert_array_equal(found.volume.data, layer.data, "safe before anything is painted")
    layer.paint((1, 30, 30), 4)
    assert pending(journal_folder()) == [], "our own journal belongs to a living process"
    [path] = list(journal_folder().glob("*.lightbox-journal"))
    [found] = recover(path)
    np.testing.assert_array_equal(found.volume.data, layer.data)


def test_journal_follows_accepts_and_undo_and_goes_with_a_normal_end(
    scene: Any, viewer: Any, stroke: Callable[..., None]
) -> None:
    from napari_lightbox.interaction.recovery import recover
    from napari_lightbox.widgets.annotate.diary import journal_folder

    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    press(dock.undo)
    press(dock.undo)
    settle(dock)
    press(dock.redo)
    press(dock.redo)
    settle(dock)
    [path] = list(journal_folder().glob("*.lightbox-journal"))
    found = {item.name: item.volume.data for item in recover(path)}
    np.testing.assert_array_equal(found["discs seeds"], seeds.data)
    np.testing.assert_array_equal(found["discs objects"], target.data)
    dock.session.close()
    assert not path.exists()
