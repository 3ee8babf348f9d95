"""The manifest: up to date, valid, light, and every command leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("npe2")

from npe2 import PluginManifest

from napari_lightbox.contract import registry
from napari_lightbox.widgets import manifest


@pytest.fixture(scope="module")
def loaded() -> Any:
    return PluginManifest.from_file(manifest.path())


def test_file_is_what_the_registry_gives() -> None:
    assert manifest.path().read_text(encoding="utf-8") == manifest.text(manifest.build())
    assert manifest.main(["--check"]) == 0


def test_every_technique_has_a_widget_and_a_menu(loaded: Any) -> None:
    ids = {manifest.command_id(t) for t in registry.find(kind="technique")}
    assert ids <= {w.command for w in loaded.contributions.widgets}
    placed = {item.command for items in loaded.contributions.menus.values() for item in items if hasattr(item, "command")}
    assert ids == placed


def test_display_names_are_unique_and_sort_by_family(loaded: Any) -> None:
    names = [w.display_name for w in loaded.contributions.widgets]
    assert len(set(names)) == len(names)
    ids = {manifest.command_id(t) for t in registry.find(kind="technique")}
    assert all(": " in w.display_name for w in loaded.contributions.widgets if w.command in ids)


def test_menus_are_napari_s_own(loaded: Any) -> None:
    from napari._app_model.constants._menus import MenuId

    allowed = {str(m) for m in MenuId.contributables()} | {s.id for s in loaded.contributions.submenus}
    assert set(loaded.contributions.menus) <= allowed


def test_every_command_can_be_imported(loaded: Any) -> None:
    loaded.validate_imports()


def test_samples_are_those_of_the_catalogue(loaded: Any) -> None:
    from napari_lightbox.samples.catalog import SAMPLES

    assert {s.key for s in loaded.contributions.sample_data} == set(SAMPLES)


def test_commands_import_nothing_heavy() -> None:
    code = (
        "import sys, napari_lightbox.widgets.entry; "
        "heavy = {'scipy', 'skimage', 'dask', 'cv2', 'SimpleITK', 'pandas', 'numba', 'napari', 'qtpy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_preferences_are_put_in_force(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from napari_lightbox.settings import settings
    from napari_lightbox.widgets import plugin_settings

    before = settings()
    page = SimpleNamespace(memory_budget="512MiB", cache_folder="")
    monkeypatch.setattr(plugin_settings, "_page", lambda name: page)
    plugin_settings.apply_settings()
    assert settings().memory_budget == 512 * 2**20
    page.memory_budget = ""
    plugin_settings.apply_settings()
    assert settings() == before
    assert set(loaded.contributions.configurations) == {"runs", "preview"}
