"""The finder: keys, favourites, what fits, pictures, and no more work than is in sight among 500 techniques."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until
from tests.widgets.reading import as_read

from napari_lightbox.contract import registry
from napari_lightbox.contract.registry import BUILT_IN
from napari_lightbox.widgets.finder_memory import FinderMemory

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(viewer: Any) -> Iterator[Any]:
    """The viewer in sight without its canvas: software drawing may crash there after what other tests have drawn."""
    canvas = viewer.window._qt_viewer.canvas.native
    canvas.hide()
    viewer.window._qt_window.show()
    yield viewer
    viewer.window._qt_window.hide()
    canvas.show()


@pytest.fixture
def finder(shown: Any, tmp_path: Path) -> Any:
    from napari_lightbox.widgets.finder_dock import FinderDock

    dock = FinderDock(shown, FinderMemory(tmp_path / "memory.json"))
    shown.window.add_dock_widget(dock, name="Find")
    process_until(dock.isVisible)
    return dock


def key(widget: Any, name: str, modifier: str = "NoModifier") -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.keyClick(widget, getattr(Qt.Key, f"Key_{name}"), getattr(Qt.KeyboardModifier, modifier))


def settle() -> None:
    from qtpy.QtWidgets import QApplication

    for _ in range(5):
        QApplication.processEvents()


def test_search_narrows_and_enter_opens(finder: Any, viewer: Any, qtbot: Any) -> None:
    assert {t.id for t in finder.found()} == {t.id for t in registry.find(kind="technique")}
    assert not finder.open.isEnabled()
    qtbot.keyClicks(finder.search, "low-pass gaussian")
    assert [t.id for t in finder.found()] == ["gaussian_blur"]
    assert finder.summary.text() == registry.get("gaussian_blur").doc
    key(finder.search, "Return")
    assert "Gaussian blur" in viewer.window.dock_widgets
    first = viewer.window.dock_widgets["Gaussian blur"]
    press(finder.open)
    assert viewer.window.dock_widgets["Gaussian blur"] is first
    finder.search.setText("no such thing at all")
    assert finder.found() == []
    assert not finder.open.isEnabled()
    key(finder.search, "Return")


def test_keys_do_everything(finder: Any, viewer: Any) -> None:
    key(finder.search, "Down")
    first = finder.current()
    assert first is finder.found()[0]
    key(finder.search, "Down")
    assert finder.current() is finder.found()[1]
    key(finder.search, "Up")
    assert finder.current() is first
    key(finder.list, "M")
    key(finder.list, "E")
    key(finder.list, "Backspace")
    assert finder.search.text() == "m"
    finder.search.setText("median")
    key(finder.list, "D", "ControlModifier")
    assert finder.search.text() == "median"
    key(finder.list, "Escape")
    assert finder.search.text() == ""
    assert finder.model.index(0).data() == "Favourites"
    assert finder.model.index(1).data() == "Median filter"
    key(finder.search, "Enter", "KeypadModifier")
    assert finder.model.index(2).data() == "Recent"


def test_favourites_last_and_the_star_is_clicked(finder: Any, viewer: Any) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from napari_lightbox.widgets.finder_delegate import star_place

    finder.search.setText("otsu")
    settle()
    index = finder.list.currentIndex()
    place = star_place(finder.list.visualRect(index)).center()
    QTest.mouseClick(finder.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert FinderMemory(finder._memory.path).favourites == ("threshold_otsu",)
    assert finder.current().id == "threshold_otsu"
    assert finder.star.text() == "★"
    press(finder.star)
    assert FinderMemory(finder._memory.path).favourites == ()


def test_what_fits_follows_layer_axes_and_selection(finder: Any, viewer: Any) -> None:
    from napari_lightbox.widgets.finder_model import FIT

    def reason(technique_id: str) -> str:
        settle()
        row = finder.model.row_of(registry.get(technique_id))
        return str(finder.model.index(row).data(FIT).reason)

    assert reason("connected_components") == ""
    image = viewer.add_image(np.zeros((4, 20, 20), np.float32), name="<i>day</i> 1", axis_labels=tuple("zyx"))
    assert reason("connected_components") == "works on a Labels layer"
    process_until(lambda: as_read(finder.about.toolTip()) == "For <i>day</i> 1 (image, z y x)")
    assert "video" in reason("background_subtraction_mog2")
    image.axis_labels = ("t", "y", "x")
    assert reason("background_subtraction_mog2") == ""
    assert reason("random_walker").startswith("also needs seeds")
    viewer.add_points(np.zeros((2, 3)))
    viewer.layers.selection.active = image
    assert reason("random_walker") == ""
    viewer.add_labels(np.zeros((4, 20, 20), int))
    assert reason("connected_components") == ""
    assert reason("gaussian_blur") == "works on an Image layer"
    finder.fitting.setChecked(True)
    assert "gaussian_blur" not in [t.id for t in finder.found()]
    assert "connected_components" in [t.id for t in finder.found()]
    viewer.layers.selection.active = image
    settle()
    assert "gaussian_blur" in [t.id for t in finder.found()]


def test_every_built_in_technique_has_a_picture_and_others_a_placeholder() -> None:
    from qtpy.QtGui import QPixmap

    from napari_lightbox.widgets.finder_pictures import FOLDER, SIZE, Pictures

    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.webp")}
    ours = [t for t in registry.find(kind="technique") if t.function.__module__.startswith(BUILT_IN)]
    needed = {t.id for t in ours if not any(spec.role.name == "model" and not spec.optional for spec in t.inputs)}
    assert needed <= set(sizes), "run docs/generate_thumbnails.py"
    assert max(sizes.values()) < 9000
    assert sum(sizes.values()) / len(sizes) < 4500, "490 techniques must stay near 2 MB"
    pictures = Pictures()
    for technique_id in sizes:
        shown = pictures.picture(registry.get(technique_id))
        assert shown.size() == SIZE
        colours = {shown.toImage().pixel(x, y) for x in range(0, 72, 3) for y in range(0, 48, 3)}
        assert len(colours) > 10, technique_id
    third_party = pictures.picture(replace(registry.get("clahe"), id="nobody_knows", title="Posterize it"))
    assert isinstance(third_party, QPixmap)
    assert third_party.size() == SIZE


def test_a_key_among_five_hundred_draws_what_is_in_sight(
    shown: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_lightbox.widgets.finder_delegate import FinderDelegate
    from napari_lightbox.widgets.finder_dock import FinderDock

    techniques = registry.find(kind="technique")
    many = [replace(t, id=f"{t.id}_{i}" if i else t.id) for i in range(9) for t in techniques][:500]
    drawn, paint = [], FinderDelegate.paint
    monkeypatch.setattr(FinderDelegate, "paint", lambda *a: (drawn.append(a[3].row()), paint(*a)))
    dock = FinderDock(shown, FinderMemory(tmp_path / "memory.json"), many)
    shown.window.add_dock_widget(dock, name="Find")
    process_until(dock.isVisible)
    settle()
    most = 0
    for letter in "gaussian\b\b\b\bsmoo\b\b\b\b\b\b\b\b":
        drawn.clear()
        key(dock.search, "Backspace") if letter == "\b" else qtbot.keyClicks(dock.search, letter)
        settle()
        most = max(most, len(set(drawn)))
    in_sight = dock.list.viewport().height() // dock.list.sizeHintForRow(1) + 2
    assert 0 < most <= in_sight < 50
    assert all(t.signature for t in many), "as the registry has read them all"


def test_help_shows_every_parameter(viewer: Any) -> None:
    from napari_lightbox.widgets.form import readable
    from napari_lightbox.widgets.help_dialog import help_html

    for technique in registry.find():
        html = help_html(technique)
        assert technique.title.replace("&", "&amp;") in html
        assert all(f"<b>{readable(p.name)}</b>" in html for p in technique.parameters)
