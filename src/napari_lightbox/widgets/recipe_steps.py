"""The steps of a recipe: the list, what can be done with a row, and the form of the chosen step."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from napari_lightbox.contract import Recipe, RecipeInput, Step
from napari_lightbox.contract.recipe_edits import moved_down, moved_up, reconnected, removed, with_input, with_step
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.layers import data_shape, suggest_axes
from napari_lightbox.widgets.recipe_banner import InputsBanner
from napari_lightbox.widgets.recipe_check import Findings
from napari_lightbox.widgets.recipe_follow import Follower
from napari_lightbox.widgets.recipe_insert import InsertDialog
from napari_lightbox.widgets.recipe_list import RecipeList
from napari_lightbox.widgets.recipe_rows import ROW, RecipeRows, Row
from napari_lightbox.widgets.recipe_step_panel import StepPanel, changes_in_words
from napari_lightbox.widgets.shortcuts import RECIPE, Shortcut, matches

if TYPE_CHECKING:
    from napari.components import ViewerModel

Change = Callable[[Recipe], tuple[str, Recipe]]
_NARROW = 30


class StepsTab(QWidget):  # type: ignore[misc]
    """Shows the recipe of a follower and edits it; emits `refused(error)` for what cannot be."""

    refused = Signal(object)

    def __init__(self, viewer: ViewerModel, follower: Follower, theme: str) -> None:
        super().__init__()
        self._viewer = viewer
        self._follower = follower
        self._theme = theme
        self._selected = ""
        self.rows = RecipeRows()
        self.list = RecipeList(self.rows, theme)
        self.panel = StepPanel(viewer)
        self.banner = InputsBanner()
        self.tools = {
            "insert": _tool("Insert…", "Insert a step before or behind the chosen one", RECIPE.insert.named),
            "switch": _tool("On/off", "Switch the chosen step off or on; off, it hands its first input on", RECIPE.switch.named),
            "remove": _tool("Remove", "Remove the chosen step; its layers stay", RECIPE.remove.named),
            "up": _tool("↑", "Move the chosen step up", RECIPE.up.named),
            "down": _tool("↓", "Move the chosen step down", RECIPE.down.named),
        }
        self.live = QCheckBox("Follow at once")
        self.live.setChecked(True)
        self.live.setToolTip("<qt>After every change, run what depends on it. Otherwise press Update.</qt>")
        self.update_button, self.cancel_button = QPushButton("Update"), QPushButton("Cancel")
        self._lay_out()
        self._connect()

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme of napari."""
        self._theme = name
        self.list.use_theme(name)

    def show_recipe(self) -> None:
        """Show the follower's recipe as it is now, with the same row chosen."""
        selected = self._selected
        self.rows.show(self._follower.state)
        self.choose(selected)
        self.show_row()
        self.show_run()

    def show_run(self) -> None:
        """Show whether something runs."""
        busy = self._follower.busy
        self.cancel_button.setEnabled(busy)
        self.update_button.setEnabled(self._follower.state is not None and not busy)

    def current(self) -> Row | None:
        """Return the chosen row."""
        index: QModelIndex = self.list.currentIndex()
        return index.data(ROW) if index.isValid() else None

    def choose(self, key: str) -> None:
        """Choose a row by its key: the tag of a step, or ``"input:0"``."""
        self._selected = key
        for place, row in enumerate(self.rows.rows):
            if row.key == key:
                self.list.setCurrentIndex(self.rows.index(place))

    def edit(self, change: Change) -> None:
        """Change the recipe, or say why that cannot be."""
        state = self._follower.state
        if state is None:
            return
        try:
            title, recipe = change(state.recipe)
        except LightboxError as error:
            self.refused.emit(error)
            self.show_row()
            return
        self.banner.hide()
        self.rows.forget_states()
        self._follower.edit(title, recipe, self.live.isChecked())

    def switch(self, row: Row | None = None) -> None:
        """Switch a step off or on."""
        row = row or self.current()
        if row is not None and not row.is_input:
            number, on = row.number, row.on
            self.edit(
                lambda r: (f"{row.title}: {'off' if on else 'on'}", with_step(r, number, replace(r.steps[number], on=not on)))
            )

    def remove(self) -> None:
        """Remove the chosen step; its layers stay as they are."""
        row = self.current()
        if row is not None and not row.is_input:
            self.edit(lambda r: (f"Remove {row.title}", removed(r, row.number)))

    def move(self, up: bool) -> None:
        """Let the chosen step and its neighbour change places."""
        row = self.current()
        if row is not None and not row.is_input:
            move, word = (moved_up, "up") if up else (moved_down, "down")
            self.edit(lambda r: (f"Move {row.title} {word}", move(r, row.number)))

    def insert(self) -> InsertDialog | None:
        """Ask for a technique to insert at the chosen row."""
        state, row = self._follower.state, self.current()
        if state is None or row is None:
            return None
        dialog = InsertDialog(state.recipe, row, new_tag(), self._theme, self)
        dialog.chosen.connect(self._insert)
        dialog.open()
        return dialog

    def show_row(self) -> None:
        """Show the form of the chosen row."""
        row = self.current()
        self.panel.show_row(self._follower.state, row)
        for name, button in self.tools.items():
            button.setEnabled(row is not None and (name == "insert" or not row.is_input))

    def update_now(self) -> None:
        """Run what is missing."""
        self.banner.hide()
        self._follower.update()
        self.show_run()

    def _insert(self, recipe: Recipe, number: int) -> None:
        step = recipe.steps[number]
        self._selected = step.tag
        self.edit(lambda _: (f"Insert {step.title}", recipe))

    def _edit_step(self, step: Step) -> None:
        state = self._follower.state
        number = next((n for n, s in enumerate(state.recipe.steps) if s.tag == step.tag), None) if state is not None else None
        if number is not None:
            self.edit(lambda r: (changes_in_words(r.steps[number], step), with_step(r, number, step)))

    def _reconnect(self, position: int, source: Any) -> None:
        row, state = self.current(), self._follower.state
        if row is None or row.is_input or state is None:
            return

        def change(recipe: Recipe) -> tuple[str, Recipe]:
            reference = source
            if isinstance(source, Layer):
                recipe, reference = with_input(recipe, described_layer(source, RecipeInput()))
            changed = reconnected(recipe, row.number, position, reference)
            if isinstance(source, Layer):
                state.inputs = [*state.inputs[: recipe.input_count - 1], source]
            return f"{row.title}: other input", changed

        self.edit(change)

    def _choose_layer(self, number: int, layer: Layer | None) -> None:
        state = self._follower.state
        if state is None or layer is state.inputs[number]:
            return
        described = [state.recipe.described(n) for n in range(state.recipe.input_count)]
        title = f"{described[number].name or f'Input {number + 1}'}: {layer.name if layer is not None else 'no layer'}"
        described[number] = described_layer(layer, described[number])
        state.inputs[number] = layer
        self.edit(lambda r: (title, replace(r, inputs=tuple(described))))

    def _ask_about_inputs(self, findings: Findings) -> None:
        names = [row.title for row in self.rows.rows if row.is_input and row.number in findings.changed]
        for number in findings.changed:
            self.rows.set_state(f"input:{number}", "changed", "Not what this was made from")
        self.banner.ask(names, findings)

    def _accept_inputs(self, findings: Findings) -> None:
        for number in findings.changed:
            self.rows.set_state(f"input:{number}", "")
        try:
            self._follower.accept_inputs(findings)
        except LightboxError as error:
            self.refused.emit(error)

    def _revert(self) -> None:
        self.rows.forget_states()
        self._follower.revert()

    def _on_row(self, index: QModelIndex, _before: Any) -> None:
        row: Row | None = index.data(ROW) if index.isValid() else None
        if row is not None:
            self._selected = row.key
        self.show_row()

    def _on_key(self, event: Any) -> None:
        acts: dict[Shortcut, Callable[[], Any]] = {
            RECIPE.switch: self.switch,
            RECIPE.remove: self.remove,
            RECIPE.insert: self.insert,
            RECIPE.up: lambda: self.move(True),
            RECIPE.down: lambda: self.move(False),
        }
        for shortcut, act in acts.items():
            if matches(shortcut, event):
                event.accept()
                act()
                return

    def _lay_out(self) -> None:
        tools, foot = QHBoxLayout(), QHBoxLayout()
        for button in self.tools.values():
            tools.addWidget(button)
        tools.addStretch(1)
        foot.addWidget(self.live, 1)
        foot.addWidget(self.update_button)
        foot.addWidget(self.cancel_button)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list, 1)
        column.addLayout(tools)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.panel)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(upper)
        split.addWidget(scroll)
        split.setChildrenCollapsible(False)
        split.setSizes([240, 280])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(split, 1)
        column.addWidget(self.banner)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.list.selectionModel().currentChanged.connect(self._on_row)
        self.list.pressed_key.connect(self._on_key)
        self.list.delegate.switched.connect(self.switch)
        self.panel.edited.connect(self._edit_step)
        self.panel.connected.connect(self._reconnect)
        self.panel.chosen.connect(self._choose_layer)
        self.panel.refused.connect(self.refused)
        self.banner.accepted.connect(self._accept_inputs)
        self.banner.declined.connect(self._revert)
        self._follower.changed.connect(self.show_recipe)
        self._follower.status.connect(self.rows.set_state)
        self._follower.asked.connect(self._ask_about_inputs)
        self._follower.idle.connect(self.show_run)
        self._follower.progressed.connect(lambda _fraction, _message: self.show_run())
        self.update_button.clicked.connect(self.update_now)
        self.cancel_button.clicked.connect(self._follower.cancel)
        self.tools["insert"].clicked.connect(lambda: self.insert())
        self.tools["switch"].clicked.connect(lambda: self.switch())
        self.tools["remove"].clicked.connect(self.remove)
        self.tools["up"].clicked.connect(lambda: self.move(True))
        self.tools["down"].clicked.connect(lambda: self.move(False))


def described_layer(layer: Layer | None, old: RecipeInput) -> RecipeInput:
    """Describe a layer that serves as an input from now on; what it holds is found out when it is read."""
    if not isinstance(layer, (Image, Labels)):
        return replace(old, name=layer.name if layer is not None else old.name, identity="")
    role = "labels" if isinstance(layer, Labels) else "image"
    dtype = str(layer.data[0].dtype if layer.multiscale else layer.data.dtype)
    return RecipeInput(layer.name, role, suggest_axes(layer)[0], data_shape(layer), dtype)


def new_tag() -> str:
    """Return a tag for a step that is new."""
    return uuid.uuid4().hex[:8]


def _tool(text: str, tip: str, keys: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(f"<qt>{tip} ({keys})</qt>")
    button.setAccessibleName(tip)
    if len(text) == 1:
        button.setMaximumWidth(_NARROW)
    return button
