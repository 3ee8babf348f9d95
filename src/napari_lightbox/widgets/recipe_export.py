"""Recipes leave and enter the dock: saved, loaded, copied as a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QToolButton, QWidget

from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_edits import effective, pruned
from napari_lightbox.engine.recipe_script import script_of
from napari_lightbox.errors import LightboxError
from napari_lightbox.io.recipe_files import read_recipe, write_text

_RECIPES = "Recipes (*.json)"
_SCRIPTS = "Python (*.py)"


class Exchange(QObject):  # type: ignore[misc]
    """Saves, loads and copies.

    Emits `loaded(recipe)`, `said(text)` and `refused(error)`.
    """

    loaded = Signal(object)
    said = Signal(str)
    refused = Signal(object)

    def __init__(self, parent: QWidget, ask: Callable[[], Recipe | None]) -> None:
        super().__init__(parent)
        self._parent = parent
        self._ask = ask
        self.button = QToolButton()
        self.button.setText("File")
        self.button.setToolTip("Save, load, copy as a script")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.button)
        self.actions = {
            "save": menu.addAction("Save recipe…", self._ask_save),
            "load": menu.addAction("Load recipe…", self._ask_load),
            "copy": menu.addAction("Copy as Python script", self.copy_script),
            "script": menu.addAction("Save as Python script…", self._ask_script),
        }
        self.button.setMenu(menu)
        menu.aboutToShow.connect(self._enable)

    def save(self, path: str | Path) -> None:
        """Write the recipe of the result."""
        self._write(Path(path), lambda recipe: recipe.to_json(), ".json")

    def save_script(self, path: str | Path) -> None:
        """Write the recipe as a script."""
        name = Path(path).name
        self._write(Path(path), lambda recipe: script_of(recipe, name), ".py")

    def load(self, path: str | Path) -> None:
        """Read a recipe."""
        try:
            recipe, _ = read_recipe(Path(path))
            effective(recipe)
        except LightboxError as error:
            self.refused.emit(error)
            return
        self.loaded.emit(recipe)
        self.said.emit(f"{Path(path).name} loaded. Run it on layers or files.")

    def copy_script(self) -> None:
        """Put the script on the clipboard."""
        try:
            recipe = self._ask()
            if recipe is None:
                return
            text = script_of(recipe)
        except LightboxError as error:
            self.refused.emit(error)
            return
        QApplication.clipboard().setText(text)
        self.said.emit(f"Script copied, {len(text.splitlines())} lines. Run it with: python script.py IMAGE… -o OUT")

    def _write(self, path: Path, make: Callable[[Recipe], str], ending: str) -> None:
        path = path if path.suffix else path.with_suffix(ending)
        try:
            recipe = self._ask()
            if recipe is None:
                return
            write_text(path, make(replace(pruned(recipe), name=recipe.name or path.stem)))
        except LightboxError as error:
            self.refused.emit(error)
            return
        self.said.emit(f"Saved as {path}.")

    def _enable(self) -> None:
        for name, action in self.actions.items():
            action.setEnabled(name == "load" or self._ask() is not None)

    def _ask_save(self) -> None:
        self._with_path(QFileDialog.getSaveFileName(self._parent, "Save recipe", "recipe.json", _RECIPES), self.save)

    def _ask_load(self) -> None:
        self._with_path(QFileDialog.getOpenFileName(self._parent, "Load recipe", "", _RECIPES), self.load)

    def _ask_script(self) -> None:
        self._with_path(QFileDialog.getSaveFileName(self._parent, "Save as script", "script.py", _SCRIPTS), self.save_script)

    def _with_path(self, answer: Any, then: Callable[[str], None]) -> None:
        if answer[0]:
            then(str(answer[0]))
