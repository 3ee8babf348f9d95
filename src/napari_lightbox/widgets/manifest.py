"""Write ``napari.json`` from the registry: ``python -m napari_lightbox.widgets.manifest [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import napari_lightbox
from napari_lightbox.contract import Technique, registry
from napari_lightbox.contract.registry import BUILT_IN
from napari_lightbox.io.formats import FORMATS
from napari_lightbox.samples.catalog import SAMPLES
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.plugin_settings import configurations

PACKAGE = "napari-lightbox"
_READER = "napari_lightbox.io.napari_reader:get_reader"
_WRITER = "napari_lightbox.io.napari_writer"
_SAMPLES = "napari_lightbox.samples.napari_samples"
# Docks besides those of the techniques: command, title, class.
_DOCKS = (
    ("find_technique", "Find a technique", "napari_lightbox.widgets.finder_dock:FinderDock"),
    ("annotate", "Annotate", "napari_lightbox.widgets.annotate.dock:AnnotateDock"),
    ("recipe", "Recipe", "napari_lightbox.widgets.recipe_dock:RecipeDock"),
    ("unet_train", "Train a U-Net", "napari_lightbox.widgets.train_dock:TrainDock"),
    ("server", "Server", "napari_lightbox.widgets.server_dock:ServerDock"),
    ("tables", "Measurements: Tables", "napari_lightbox.widgets.table_reopen:TablesDock"),
)


def build_for(package: str) -> dict[str, Any]:
    """Return the manifest with which a third-party package shows its techniques in napari.

    Its commands point at our docks: the package needs no widget code of its own.
    """
    techniques = [t for t in registry.find(kind="technique") if t.function.__module__.partition(".")[0] == package]
    commands = [_command(t) | {"id": f"{package}.{t.id}"} for t in techniques]
    widgets = [{"command": f"{package}.{t.id}", "display_name": display_name(t)} for t in techniques]
    return {"name": package, "contributions": {"commands": commands, "widgets": widgets}}


def build() -> dict[str, Any]:
    """Return the whole manifest of our own techniques."""
    techniques = [t for t in registry.find(kind="technique") if t.function.__module__.startswith(BUILT_IN)]
    return {
        "name": PACKAGE,
        "display_name": "Lightbox",
        "contributions": {
            "commands": [*map(_command, techniques), *_other_commands()],
            "widgets": [
                *({"command": f"{PACKAGE}.{name}", "display_name": title} for name, title, _ in _DOCKS),
                *({"command": command_id(t), "display_name": display_name(t)} for t in techniques),
            ],
            "menus": _menus(techniques),
            "submenus": [{"id": _submenu(name), "label": family(name).title} for name in _families(techniques)],
            "readers": [{"command": f"{PACKAGE}.read", "filename_patterns": _patterns(), "accepts_directories": True}],
            "writers": [{"command": f"{PACKAGE}.{name}", **details} for name, details in _writers().items()],
            "sample_data": [{"command": f"{PACKAGE}.sample_{s}", "key": s, "display_name": SAMPLES[s].title} for s in SAMPLES],
            "configurations": configurations(),
        },
    }


def command_id(technique: Technique) -> str:
    """Return the id of a technique's command."""
    return f"{PACKAGE}.{technique.id}"


def display_name(technique: Technique) -> str:
    """Return the name of a technique's dock; the family comes first, so that napari's flat list sorts by it."""
    return f"{family(technique.family).title}: {technique.title}"


def text(manifest: dict[str, Any]) -> str:
    """Return a manifest as JSON, which is YAML too: npe2 reads it in a tenth of the time."""
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def path() -> Path:
    """Return where the manifest lies."""
    return Path(napari_lightbox.__file__).with_name("napari.json").resolve()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the manifest, or tell with ``--check`` whether the file is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")
    parser.add_argument("--package", help="print the manifest of a third-party package and its techniques instead")
    options = parser.parse_args(arguments)
    if options.package:
        sys.stdout.write(text(build_for(options.package)))
        return 0
    fresh = text(build())
    if options.check:
        if path().read_text(encoding="utf-8") == fresh:
            return 0
        sys.stderr.write(f"{path().name} is out of date: run `python -m napari_lightbox.widgets.manifest`\n")
        return 1
    path().write_text(fresh, encoding="utf-8")
    return 0


def _command(technique: Technique) -> dict[str, str]:
    return {
        "id": command_id(technique),
        "title": display_name(technique),
        "python_name": f"napari_lightbox.widgets.entry:{technique.id}",
        "short_title": technique.title,
    }


def _other_commands() -> list[dict[str, str]]:
    return [
        *(_plain_command(*dock) for dock in _DOCKS),
        _plain_command("read", "Open with Lightbox", _READER),
        *(_plain_command(w, f"Save {w.removeprefix('write_')} with Lightbox", f"{_WRITER}:{w}") for w in _writers()),
        *(_plain_command(f"sample_{s}", f"Open sample: {SAMPLES[s].title}", f"{_SAMPLES}:{s}") for s in SAMPLES),
    ]


def _plain_command(name: str, title: str, python_name: str) -> dict[str, str]:
    return {"id": f"{PACKAGE}.{name}", "title": title, "python_name": python_name}


def _families(techniques: Sequence[Technique]) -> list[str]:
    return sorted({t.family for t in techniques}, key=lambda name: family(name).title)


def _submenu(name: str) -> str:
    return f"lightbox/{name}"


def _menus(techniques: Sequence[Technique]) -> dict[str, list[dict[str, str]]]:
    menus: dict[str, list[dict[str, str]]] = {}
    for name in _families(techniques):
        menus.setdefault(family(name).menu, []).append({"submenu": _submenu(name)})
    for technique in techniques:
        menus.setdefault(_submenu(technique.family), []).append({"command": command_id(technique)})
    return menus


def _patterns() -> list[str]:
    suffixes = {suffix for f in FORMATS for suffix in f.suffixes}
    return sorted(f"*{s}" for s in suffixes | {s.upper() for s in suffixes})


def _writers() -> dict[str, dict[str, Any]]:
    """Return the writers by function name: what they take and which files they make, commonest first."""
    suffixes = [s for f in FORMATS if f.name != "tables" for s in f.writes if s]
    several = [s for f in FORMATS if f.several for s in f.writes if s]
    return {
        "write_image": {"layer_types": ["image"], "filename_extensions": suffixes, "display_name": "image"},
        "write_labels": {"layer_types": ["labels"], "filename_extensions": suffixes, "display_name": "labels"},
        "write_multiple": {
            "layer_types": ["image*", "labels*"],
            "filename_extensions": several,
            "display_name": "several layers",
        },
    }


if __name__ == "__main__":
    sys.exit(main())
