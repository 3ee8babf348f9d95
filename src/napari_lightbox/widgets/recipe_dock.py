"""The Recipe dock: what was done to a layer, as a graph that can be changed, run again and taken elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QToolButton, QVBoxLayout

from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_edits import pruned
from napari_lightbox.engine.provenance import steps_of
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.annotate.session import session_of
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import is_preview
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.progress_bar import ProgressBar
from napari_lightbox.widgets.recipe_export import Exchange
from napari_lightbox.widgets.recipe_follow import Follower
from napari_lightbox.widgets.recipe_on_files import FilesPanel
from napari_lightbox.widgets.recipe_on_layers import LayersPanel
from napari_lightbox.widgets.recipe_state import RecipeState, find_input, state_of
from napari_lightbox.widgets.recipe_steps import StepsTab, described_layer, new_tag

if TYPE_CHECKING:
    from napari.viewer import Viewer


class RecipeDock(Docked):
    """Follows the selected layer; everything downstream of an edit follows the edit."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Recipe")
        # napari hands plugins a proxy, which layers compare as another viewer
        self.viewer: Viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.session = session_of(self.viewer)
        self.follower = Follower(self.viewer, self)
        self.result = LayerCombo(_is_result, none="choose a result")
        self.undo_button, self.redo_button = _arrow("↶"), _arrow("↷")
        self.exchange = Exchange(self, self.recipe)
        self.steps = StepsTab(self.viewer, self.follower, self.viewer.theme)
        self.layers = LayersPanel(self.viewer)
        self.files = FilesPanel()
        self.tabs = QTabWidget()
        self.progress = ProgressBar()
        self.message = PlainLabel()
        self._lay_out()
        self._connect()
        self._follow_layers()
        self._show()

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return self.follower.busy or self.files.bar.busy

    def recipe(self) -> Recipe | None:
        """Return the recipe looked at, without what its result does not need."""
        return None if self.follower.state is None else pruned(self.follower.state.recipe)

    def undo(self) -> None:
        """Take the last edit back: one that nothing has followed from yet, else the last action of any dock."""
        if self.follower.pending:
            self.steps.rows.forget_states()
            self.follower.revert()
        else:
            self.session.undo()
        self._show_history()

    def redo(self) -> None:
        """Do again what was taken back."""
        self.session.redo()
        self._show_history()

    def shut_down(self) -> None:
        """Stop everything; half-shown results are taken back."""
        self.follower.shut_down()
        self.files.shut_down()
        super().shut_down()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.result, 1)
        for button in (self.undo_button, self.redo_button, self.exchange.button):
            head.addWidget(button)
        for part, title in ((self.steps, "Steps"), (self.layers, "On layers"), (self.files, "On files")):
            self.tabs.addTab(part, title)
        keeping = self.progress.sizePolicy()
        keeping.setRetainSizeWhenHidden(True)  # nothing may jump, nor the window be laid out anew, when a run begins
        self.progress.setSizePolicy(keeping)
        whole = QVBoxLayout(self)
        whole.addLayout(head)
        whole.addWidget(self.tabs, 1)
        whole.addWidget(self.progress)
        whole.addWidget(self.message)
        self.progress.hide()
        self.setMinimumWidth(320)

    def _connect(self) -> None:
        events = self.viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered):
            self.lifeline.connect(emitter, self._follow_layers)
        self.lifeline.connect(self.viewer.layers.selection.events.active, self._follow_selection)
        self.lifeline.connect(self.viewer.events.theme, self._follow_theme)
        self.lifeline.at_end(self.session.history.subscribe(self._show_history))
        self.result.changed.connect(self._take_layer)
        self.undo_button.clicked.connect(self.undo)
        self.redo_button.clicked.connect(self.redo)
        self.follower.changed.connect(self._show)
        self.follower.said.connect(self.message.setText)
        self.follower.progressed.connect(self._report)
        self.follower.idle.connect(self._end_run)
        self.layers.asked.connect(self._run_on_layers)
        self.exchange.loaded.connect(self._take_recipe)
        self.exchange.said.connect(self.message.setText)
        for part in (self.steps, self.layers, self.files, self.exchange):
            part.refused.connect(self._refuse)

    def _follow_layers(self, event: Any = None) -> None:
        self.result.refresh(self.viewer.layers, [])
        state = self.follower.state
        if state is None:
            self._follow_selection()
        else:
            present = set(self.viewer.layers)
            state.shown = {place: [layer for layer in found if layer in present] for place, found in state.shown.items()}
            for number, layer in enumerate(state.inputs):
                if layer is None or layer not in present:
                    state.inputs[number] = find_input(self.viewer, state, number)
            self._show()
        self.layers.refresh()

    def _follow_selection(self, event: Any = None) -> None:
        active = self.viewer.layers.selection.active
        if active is None or not _is_result(active) or self.busy or self._is_loaded:
            return
        if self.result.chosen() is not active:
            self.result.choose(active)

    def _follow_theme(self, event: Any) -> None:
        self.steps.use_theme(event.value)

    @property
    def _is_loaded(self) -> bool:
        """Whether the recipe looked at came from a file and belongs to no layer."""
        state = self.follower.state
        return state is not None and not any(state.shown.values()) and self.result.chosen() is None

    def _take_layer(self) -> None:
        layer, old = self.result.chosen(), self.follower.state
        if layer is None or (old is not None and layer in old.shown.get(old.target, [])):
            return
        try:
            state = state_of(self.viewer, layer)
        except LightboxError as error:
            self._refuse(error)
            return
        self.steps.banner.hide()
        self.steps.rows.forget_states()
        self.message.setText("")
        self.follower.take(state)
        self.steps.choose(state.target[0])

    def _take_recipe(self, recipe: Recipe) -> None:
        known = tuple(recipe.described(n) for n in range(recipe.input_count))
        state = RecipeState(replace(_tagged(recipe), inputs=known))
        state.inputs = [find_input(self.viewer, state, n) for n in range(state.recipe.input_count)]
        self.result.choose(None)
        self.follower.take(state)
        self.steps.choose(state.target[0])
        self.tabs.setCurrentWidget(self.layers)

    def _run_on_layers(self, state: RecipeState) -> None:
        described = tuple(described_layer(layer, state.recipe.described(n)) for n, layer in enumerate(state.inputs))
        state.recipe = replace(_tagged(state.recipe), inputs=described)
        self.follower.take(state)
        self.follower.edit("Run a recipe on layers", state.recipe, False)
        self.steps.choose(state.target[0])
        self.steps.update_now()

    def _show(self) -> None:
        """Show the recipe as it is now."""
        recipe, state = self.recipe(), self.follower.state
        own = [*state.inputs, *state.layers()] if state is not None else []
        self.layers.show_recipe(recipe, own)
        self.files.show_recipe(recipe)
        target = state.shown.get(state.target, []) if state is not None else []
        if target and self.result.chosen() not in target:
            self.result.blockSignals(True)
            self.result.refresh(self.viewer.layers, [])
            self.result.choose(target[0])
            self.result.blockSignals(False)
        self.steps.show_recipe()
        self._show_history()

    def _show_history(self) -> None:
        undo, redo = self.session.next_undo, self.session.next_redo
        self.undo_button.setEnabled(undo is not None or self.follower.pending)
        self.redo_button.setEnabled(redo is not None)
        self.undo_button.setToolTip("Take the edit back" if self.follower.pending else f"Undo: {undo.title}" if undo else "Undo")
        self.redo_button.setToolTip(f"Redo: {redo.title}" if redo else "Redo")

    def _report(self, fraction: float, message: str) -> None:
        self.progress.setVisible(True)
        self.progress.show_fraction(fraction)
        self.message.setText(message)

    def _end_run(self) -> None:
        self.progress.hide()
        self.progress.show_fraction(0.0)

    def _refuse(self, error: BaseException) -> None:
        self.message.setText(str(error))
        show_failure(error)


def _tagged(recipe: Recipe) -> Recipe:
    """Return the recipe with steps that no layer shows yet."""
    return replace(recipe, steps=tuple(replace(step, tag=new_tag()) for step in recipe.steps))


def _is_result(layer: Layer) -> bool:
    return isinstance(layer, (Image, Labels)) and not is_preview(layer) and bool(steps_of(layer.metadata))


def _arrow(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    return button
