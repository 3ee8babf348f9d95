"""The finder: search by any word, open the dock."""

from __future__ import annotations

from typing import Any

import pytest
from tests.widgets.conftest import press

from napari_lightbox.contract import registry

pytestmark = pytest.mark.gui


def test_search_narrows_and_enter_opens(viewer: Any, qtbot: Any) -> None:
    from napari_lightbox.widgets.finder_dock import FinderDock

    finder = FinderDock(viewer)
    qtbot.addWidget(finder)
    assert {t.id for t in finder.found()} == {t.id for t in registry.find(kind="technique")}
    qtbot.keyClicks(finder.search, "low-pass gaussian")
    assert [t.id for t in finder.found()] == ["gaussian_blur"]
    assert finder.summary.text() == registry.get("gaussian_blur").doc
    press(finder.open)
    assert "Denoise: Gaussian blur (Lightbox)" in viewer.window._wrapped_dock_widgets
    finder.search.setText("no such thing at all")
    assert finder.found() == []
    assert not finder.open.isEnabled()


def test_help_shows_every_parameter(viewer: Any) -> None:
    from napari_lightbox.widgets.form import readable
    from napari_lightbox.widgets.help_dialog import help_html

    for technique in registry.find():
        html = help_html(technique)
        assert technique.title.replace("&", "&amp;") in html
        assert all(f"<b>{readable(p.name)}</b>" in html for p in technique.parameters)
