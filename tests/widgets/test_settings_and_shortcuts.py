"""Preferences that take effect at once, shortcuts in one list, and titles that fit a dock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import process_until

import napari_lightbox
from napari_lightbox.contract import registry
from napari_lightbox.settings import DEVICES, settings
from napari_lightbox.widgets import plugin_settings, shortcuts
from napari_lightbox.widgets.titles import LONGEST, short_title, shortened

pytestmark = pytest.mark.gui

IMAGE = np.random.default_rng(0).integers(0, 200, (30, 40)).astype(np.uint8)


@pytest.fixture
def preferences(viewer: Any) -> Iterator[Any]:
    from napari.settings import get_plugin_settings

    found = get_plugin_settings("napari-lightbox")
    yield found
    found.preview.live = False
    found.runs.device, found.runs.memory_budget = "automatic", ""
    plugin_settings.apply_settings()


def test_device_and_memory_reach_the_very_next_preview(viewer: Any, open_dock: Callable[[str], Any], preferences: Any) -> None:
    viewer.add_image(IMAGE)
    dock = open_dock("gaussian_blur")
    assert settings().device == "auto"
    preferences.runs.device = "cpu"
    preferences.runs.memory_budget = "512MiB"
    dock.live.setChecked(True)
    process_until(lambda: not dock.preview.busy)
    assert (settings().device, settings().memory_budget) == ("cpu", 2**29)
    preferences.runs.memory_budget = "plenty"
    dock.preview.refresh()
    process_until(lambda: not dock.preview.busy)
    assert dock.bar.message.text().startswith("memory_budget: 'plenty' is not a number of bytes")


def test_the_preview_switch_reaches_open_docks_and_new_ones(
    viewer: Any, open_dock: Callable[[str], Any], preferences: Any
) -> None:
    viewer.add_image(IMAGE)
    dock, table = open_dock("gaussian_blur"), open_dock("psnr")
    preferences.preview.live = True
    assert dock.live.isChecked()
    assert not table.live.isChecked()
    assert open_dock("median_filter").live.isChecked()
    preferences.preview.live = False
    assert not dock.live.isChecked()
    dock.shut_down()
    preferences.preview.live = True
    assert not dock.live.isChecked()


def test_every_device_can_be_chosen() -> None:
    offered = plugin_settings.configurations()["runs"]["properties"]["device"]["enum"]
    assert offered[1:] == [d for d in DEVICES if d != "auto"]


def test_the_page_of_shortcuts_is_up_to_date() -> None:
    page = Path(napari_lightbox.__file__).parents[2] / "docs" / "guide" / "shortcuts.md"
    assert page.read_text(encoding="utf-8") == shortcuts.as_markdown()


def test_no_key_means_two_things_in_one_place() -> None:
    for place, listed in shortcuts.all_shortcuts().items():
        keys = [key for shortcut in listed for key in shortcut.keys]
        assert len(keys) == len(set(keys)), place
        assert all(shortcut.named in shortcuts.as_html() for shortcut in listed if "&" not in shortcut.named)


@pytest.mark.parametrize("technique", registry.find(kind="technique"), ids=lambda t: t.id)
def test_titles_fit_and_tell_docks_apart(technique: Any) -> None:
    assert len(short_title(technique)) <= LONGEST
    others = [t for t in registry.find(kind="technique") if t is not technique]
    assert short_title(technique) not in {short_title(t) for t in others}


def test_long_titles_end_at_a_word() -> None:
    assert shortened("Contrast limited adaptive histogram equalization") == "Contrast limited adaptive…"
    assert shortened("x" * 40) == "x" * (LONGEST - 1) + "…"


def test_the_title_survives_floating(viewer: Any, open_dock: Callable[[str], Any]) -> None:
    open_dock("perona_malik")
    outer = viewer.window._wrapped_dock_widgets["perona_malik (Lightbox)"]

    def shown() -> tuple[str, str]:
        return outer.title.title.text(), outer.windowTitle()

    process_until(lambda: shown() == ("Anisotropic diffusion",) * 2, timeout=5)
    outer.setFloating(True)
    outer.setFloating(False)
    process_until(lambda: shown() == ("Anisotropic diffusion",) * 2, timeout=5)
    assert outer.name == "perona_malik (Lightbox)"
