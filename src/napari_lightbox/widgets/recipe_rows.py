"""The rows of a recipe's list: its inputs, then its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt

from napari_lightbox.contract import Recipe, Step, registry
from napari_lightbox.contract.recipe_kinds import describe
from napari_lightbox.contract.recipe_refs import parse
from napari_lightbox.engine.provenance import steps_of
from napari_lightbox.widgets.form import readable
from napari_lightbox.widgets.recipe_lanes import Lanes, lanes_of
from napari_lightbox.widgets.recipe_state import RecipeState

ROW = Qt.ItemDataRole.UserRole
_MOST_PARAMETERS = 4


@dataclass(frozen=True)
class Row:
    """One row: an input when `number` counts inputs, else a step.

    Parameters
    ----------
    state
        ``""``, ``"waiting"``, ``"running"``, ``"failed"``, ``"missing"`` or ``"changed"``.
    note
        What to say about that state.
    """

    is_input: bool
    number: int
    key: str
    title: str
    detail: str
    lanes: Lanes
    on: bool = True
    is_target: bool = False
    layers: tuple[str, ...] = ()
    state: str = ""
    note: str = ""


class RecipeRows(QAbstractListModel):  # type: ignore[misc]
    """All rows of one recipe."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._states: dict[str, tuple[str, str]] = {}
        self._state: RecipeState | None = None

    def show(self, state: RecipeState | None) -> None:
        """Show another recipe, or the same one after an edit."""
        self.beginResetModel()
        self._state = state
        keys = {row.key for row in (rows_of(state, self._states) if state is not None else [])}
        self._states = {key: value for key, value in self._states.items() if key in keys}
        self.rows = rows_of(state, self._states) if state is not None else []
        self.endResetModel()

    def set_state(self, key: str, state: str, note: str = "") -> None:
        """Say how a step or an input is doing."""
        self._states[key] = (state, note)
        for place, row in enumerate(self.rows):
            if row.key == key and self._state is not None:
                self.rows = rows_of(self._state, self._states)
                self.dataChanged.emit(self.index(place), self.index(place))
                return

    def forget_states(self) -> None:
        """Take all states back."""
        self._states = {}
        self.show(self._state)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row, or what a screen reader says."""
        if not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{row.title}{'' if row.on else ' (off)'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            shown = f"Shown in {', '.join(row.layers)}" if row.layers else ""
            return "<qt>" + "<br>".join(p for p in (row.note, row.detail, shown) if p) + "</qt>"
        return None


def rows_of(state: RecipeState, states: dict[str, tuple[str, str]]) -> list[Row]:
    """Return the rows of a recipe."""
    recipe, count = state.recipe, state.recipe.input_count
    reads: list[list[int]] = [[] for _ in range(count)]
    for step in recipe.steps:
        refs = [parse(s) for s in step.sources()]
        reads.append(list(dict.fromkeys(r.number if r.kind == "input" else count + r.number for r in refs if r.kind != "value")))
    lanes = lanes_of(reads)
    inputs = [_input_row(state, n, lanes[n], states) for n in range(count)]
    return inputs + [_step_row(state, n, lanes[count + n], states) for n in range(len(recipe.steps))]


def parameters_in_words(step: Step) -> str:
    """Return the parameters that differ from their defaults."""
    technique = registry.get(step.technique)
    complete = technique.complete(step.parameters)
    told = [
        f"{readable(p.name).lower()} {_value(complete[p.name])}" for p in technique.parameters if complete[p.name] != p.default
    ]
    over = step.options.get("over")
    told += [f"over {over}"] if over else []
    return ", ".join(told[:_MOST_PARAMETERS]) + (", …" if len(told) > _MOST_PARAMETERS else "")


def measured_in_words(state: RecipeState, step: Step) -> str:
    """Return the values that a step measured, such as the threshold that it found."""
    layers = [layer for (tag, _), found in state.shown.items() if tag == step.tag for layer in found]
    last = [entry for layer in layers[:1] for entry in steps_of(layer.metadata)[-1:]]
    values = last[0].get("values", {}) if last and step.on else {}
    return ", ".join(f"{readable(name).lower()} {value:.6g}" for name, value in values.items())


def _input_row(state: RecipeState, number: int, lanes: Lanes, states: dict[str, tuple[str, str]]) -> Row:
    described = state.recipe.described(number)
    layer = state.inputs[number] if number < len(state.inputs) else None
    key = f"input:{number}"
    condition, note = states.get(key, ("", ""))
    if layer is None:
        condition, note = "missing", "Not among the layers: click to choose one"
    title = layer.name if layer is not None else described.name or f"Input {number + 1}"
    return Row(True, number, key, title, described.in_words(), lanes, state=condition, note=note)


def _step_row(state: RecipeState, number: int, lanes: Lanes, states: dict[str, tuple[str, str]]) -> Row:
    recipe: Recipe = state.recipe
    step = recipe.steps[number]
    layers = tuple(layer.name for (tag, _), found in state.shown.items() if tag == step.tag for layer in found)
    further = [describe(recipe, s) for s in step.sources()][1:]
    measured = measured_in_words(state, step)
    parts = (
        parameters_in_words(step) or ("" if further else "defaults"),
        f"with {', '.join(further)}" if further else "",
        measured,
    )
    detail = "; ".join(p for p in parts if p)
    condition, note = states.get(step.tag, ("", ""))
    is_target = recipe.target.number == number
    return Row(False, number, step.tag, step.title, detail, lanes, step.on, is_target, layers, condition, note)


def _value(value: Any) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_value, value)) + ")"
    return f"{value:.6g}" if isinstance(value, float) else str(value).replace("_", " ")
