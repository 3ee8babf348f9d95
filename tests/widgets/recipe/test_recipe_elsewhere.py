"""Recipes leave the dock: on other layers, on files with a report, as JSON and as a script."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until
from tests.widgets.recipe.conftest import IMAGE, change, expected, settle

import napari_lightbox as lb
from napari_lightbox.contract import Recipe
from napari_lightbox.engine.recipe_script import script_of

pytestmark = pytest.mark.gui


def test_a_recipe_runs_on_another_layer(dock: Any, viewer: Any) -> None:
    other = viewer.add_image(IMAGE[::-1].copy(), name="other", axis_labels=tuple("zyx"), scale=(2, 1, 1), units=("mm",) * 3)
    dock.layers.choosers[0].choose(other)
    count = len(viewer.layers)
    press(dock.layers.run)
    settle(dock)
    assert len(viewer.layers) == count + 1
    np.testing.assert_array_equal(viewer.layers[-1].data, expected(other.data)["cells"])
    change(dock, "Gaussian blur", sigma=2.0)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected(other.data, sigma=2.0)["cells"])


def test_saved_loaded_and_copied(dock: Any, chain: dict[str, Any], viewer: Any, tmp_path: Path) -> None:
    from qtpy.QtWidgets import QApplication

    dock.exchange.save(tmp_path / "cells")
    recipe = Recipe.from_json((tmp_path / "cells.json").read_text())
    assert [s.technique for s in recipe.steps] == [s.technique for s in dock.recipe().steps]
    dock.exchange.copy_script()
    assert QApplication.clipboard().text() == script_of(dock.recipe())
    for name in ("blur", "objects", "parts", "cells"):
        viewer.layers.remove(chain[name])
    dock.exchange.load(tmp_path / "cells.json")
    press(dock.layers.run)
    settle(dock)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected()["cells"])


def test_a_newer_recipe_is_refused(dock: Any, tmp_path: Path) -> None:
    before = dock.recipe()
    (tmp_path / "new.json").write_text(json.dumps({"lightbox_recipe": 9, "version": "7.0", "steps": []}))
    dock.exchange.load(tmp_path / "new.json")
    assert "format 9 (written by napari-lightbox 7.0)" in dock.message.text()
    assert dock.recipe() == before


def test_files_go_on_after_a_bad_one(dock: Any, tmp_path: Path) -> None:
    geometry = lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1))
    for name, data in {"a": IMAGE, "c": IMAGE[::-1].copy()}.items():
        lb.write(tmp_path / f"{name}.nii.gz", lb.Volume(data, geometry))
    (tmp_path / "b.nii.gz").write_bytes(b"nothing")
    dock.files.take_files([str(tmp_path / f"{n}.nii.gz") for n in "abc"])
    press(dock.files.bar.run)
    settle(dock)
    assert "2 of 3 done" in dock.files.bar.message.text()
    results = [dock.files.table.item(row, 1).text() for row in range(3)]
    assert [r.startswith("done") for r in results] == [True, False, True]
    for name, data in {"a": IMAGE, "c": IMAGE[::-1].copy()}.items():
        (found,) = lb.read(tmp_path / "results" / f"{name}.nii.gz")
        np.testing.assert_array_equal(found.data, expected(data)["cells"])
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert [e["status"] for e in report["entries"]] == ["done", "failed", "done"]


def test_files_are_cancelled_between_steps(dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry, gate = lb.Geometry.of("zyx", IMAGE.shape), threading.Event()
    for number in range(3):
        lb.write(tmp_path / f"{number}.nii.gz", lb.Volume(IMAGE, geometry))
    from napari_lightbox.widgets import recipe_files

    replay = recipe_files.replay

    def slow(*arguments: Any, **options: Any) -> Any:
        if not (tmp_path / "results" / "0.nii.gz").exists():
            return replay(*arguments, **options)
        gate.wait(20)
        return replay(*arguments, **options)

    monkeypatch.setattr(recipe_files, "replay", slow)
    dock.files.take_files([str(tmp_path / f"{n}.nii.gz") for n in range(3)])
    press(dock.files.bar.run)
    process_until(lambda: len(dock.files._job.entries) == 1)
    press(dock.files.bar.cancel)
    gate.set()
    settle(dock)
    assert "Cancelled after 1 of 3" in dock.files.bar.message.text()
    assert sorted(p.name for p in (tmp_path / "results").iterdir()) == ["0.nii.gz", "report.json"]
