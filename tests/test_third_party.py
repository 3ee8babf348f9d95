"""A package that announces a technique by entry point gets everything for free."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from napari_lightbox.cli.app import main
from napari_lightbox.contract import Registry, registry
from napari_lightbox.testing.technique_suite import TechniqueSuite

TOYS = Path(__file__).parent / "third_party"
sys.path.insert(0, str(TOYS))

from toy_lightbox.posterize import toy_posterize  # noqa: E402

POINT = importlib.metadata.EntryPoint("toy", "toy_lightbox.posterize", "napari_lightbox.techniques")
BROKEN = importlib.metadata.EntryPoint("broken", "no_such_package.technique", "napari_lightbox.techniques")


@pytest.fixture
def announced():
    with registry.temporary(toy_posterize.technique):
        yield


def test_entry_points_are_loaded_and_broken_ones_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["napari_lightbox.contract.registry"]
    monkeypatch.setattr(module, "entry_points", lambda group: [BROKEN, POINT])
    fresh = Registry()
    with pytest.warns(UserWarning, match="no_such_package"):
        found = fresh.find(family="artistic")
    assert "toy_posterize" in [t.id for t in found]


def test_it_appears_in_the_manifest(announced: None) -> None:
    from npe2 import PluginManifest

    from napari_lightbox.widgets.manifest import build_for

    manifest = PluginManifest(**build_for("toy_lightbox"))
    assert [w.command for w in manifest.contributions.widgets] == ["toy_lightbox.toy_posterize"]
    assert manifest.contributions.commands[0].python_name == "napari_lightbox.widgets.entry:toy_posterize"


def test_it_appears_on_the_command_line(announced: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "toy_posterize"]) == 0
    assert "levels" in capsys.readouterr().out


class TestToy(TechniqueSuite):
    techniques = (toy_posterize.technique,)

    @pytest.fixture(autouse=True)
    def _announced(self, announced: None) -> None:
        """Keep the technique registered while its tests run."""
