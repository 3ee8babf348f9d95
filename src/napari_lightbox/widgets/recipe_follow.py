"""Everything downstream follows: after an edit the missing steps run and the layers show what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_refs import Ref
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.annotate.session import session_of
from napari_lightbox.widgets.plugin_settings import apply_settings
from napari_lightbox.widgets.recipe_changes import Change, RecipeAction
from napari_lightbox.widgets.recipe_check import Findings, check
from napari_lightbox.widgets.recipe_glimpse import Glimpse
from napari_lightbox.widgets.recipe_settled import Adopting, Settled
from napari_lightbox.widgets.recipe_show import Showing
from napari_lightbox.widgets.recipe_state import RecipeState, remember
from napari_lightbox.widgets.recipe_update import RecipeUpdate
from napari_lightbox.widgets.runners import shared_runner
from napari_lightbox.widgets.worker import Watch

if TYPE_CHECKING:
    from napari.viewer import Viewer

DELAY_MS = 250


class Follower(QObject):  # type: ignore[misc]
    """Owns the recipe that is looked at, runs it after edits and makes the edits undoable.

    Emits `changed()` when there is another recipe, `status(tag, state, message)` with state ``"waiting"``, ``"running"``,
    ``"done"`` or ``"failed"``, `said(text)`, `progressed(fraction, message)`, `idle()` at the end of every run, and
    `asked(findings)` when inputs have changed and somebody has to say whether they may be used as they are now.
    """

    changed = Signal()
    status = Signal(str, str, str)
    said = Signal(str)
    progressed = Signal(float, str)
    idle = Signal()
    asked = Signal(object)

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self.state: RecipeState | None = None
        self._viewer = viewer
        self._showing = Showing(viewer)
        self._settled: Settled | None = None
        self._titles: list[str] = []
        self._update: RecipeUpdate | None = None
        self._watch: Watch | None = None
        self._glimpse: Glimpse | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.update)

    @property
    def busy(self) -> bool:
        """Whether something runs or is about to."""
        return self._timer.isActive() or self._watch is not None or self._update is not None

    @property
    def pending(self) -> bool:
        """Whether there are edits that the layers do not show yet."""
        return bool(self._titles)

    def take(self, state: RecipeState | None) -> None:
        """Look at another recipe; what runs for the old one is cancelled and its half-shown results are taken back."""
        if self.pending:
            self.revert()
        self._drop()
        self.state = state
        self._settle()
        self.changed.emit()

    def edit(self, title: str, recipe: Recipe, follow: bool = True) -> None:
        """Take an edited recipe over; a moment later everything downstream follows."""
        if self.state is None:
            return
        self._drop()
        self.state.recipe = recipe
        self._titles = [*[t for t in self._titles if t.partition(":")[0] != title.partition(":")[0]], title]
        self.changed.emit()
        if follow:
            self._timer.start()

    def update(self) -> None:
        """Look whether the inputs are still the same, then run what is missing."""
        if self.state is None:
            return
        self._drop()
        try:
            apply_settings()
            self._watch = Watch(check(self.state).start())
        except LightboxError as error:
            self._fail("", error)
            return
        self._watch.finished.connect(self._checked)
        self._watch.failed.connect(partial(self._fail, ""))

    def accept_inputs(self, findings: Findings) -> None:
        """Go on with the inputs as they are now."""
        if self.state is None:
            return
        described = [self.state.recipe.described(n) for n in range(self.state.recipe.input_count)]
        for n in findings.changed:
            value = self.state.value(n)
            described[n] = replace(described[n], identity=findings.identities.get(n, described[n].identity), name=self._name(n))
            if isinstance(value, Volume):
                described[n] = replace(described[n], shape=tuple(value.shape), dtype=str(value.dtype), axes=value.axes)
        self.state.recipe = replace(self.state.recipe, inputs=tuple(described))
        self._titles = self._titles or ["Use inputs as they are now"]
        self.changed.emit()
        self.update()

    def cancel(self) -> None:
        """Stop; what was shown before the edit is shown again, the edit itself stays."""
        if not self.busy:
            return
        self._drop()
        self._take_back_layers()
        self.said.emit("Cancelled; the layers are as they were.")
        self.idle.emit()

    def revert(self) -> None:
        """Forget edits that nothing has followed from yet."""
        self._drop()
        self._take_back_layers()
        if self.state is not None and self._settled is not None:
            self._return_to(self._settled)
        self._titles = []
        self.said.emit("")
        self.changed.emit()
        self.idle.emit()

    def shut_down(self) -> None:
        """Stop everything and forget the viewer's layers."""
        if self.pending:
            self._drop()
            self._take_back_layers()
        self._drop()
        self.state = None
        self._titles = []

    def _checked(self, outcome: Outcome) -> None:
        self._watch = None
        findings: Findings = outcome.main
        if self.state is None:
            return
        for place, layers in self.state.shown.items():
            self.state.shown[place] = [layer for layer in layers if layer not in findings.edited]
        if findings.edited:
            names = ", ".join(layer.name for layer in findings.edited)
            self.said.emit(f"{names}: changed by hand since it was made, so it is left as it is.")
        self._adopt_identities(findings)
        if findings.changed:
            self.asked.emit(findings)
            self.idle.emit()
            return
        self._run()

    def _adopt_identities(self, findings: Findings) -> None:
        """Take note of what inputs hold that were not told apart before; the layers show what was made from them."""
        assert self.state is not None
        described = [self.state.recipe.described(n) for n in range(self.state.recipe.input_count)]
        new = {n: i for n, i in findings.identities.items() if n not in findings.changed and described[n].identity != i}
        if not new:
            return
        recorded = any(described[n].identity for n in new)
        for n, identity in new.items():
            described[n] = replace(described[n], identity=identity)
        edited = self.state.recipe
        self.state.recipe = replace(edited, inputs=tuple(described))
        if recorded and self._settled is not None:
            settled = replace(self._settled.recipe, inputs=tuple(described[: self._settled.recipe.input_count]))
            self._settled = replace(self._settled, recipe=settled)
            remember(RecipeState(settled, self.state.shown, self.state.inputs, self.state.known))

    def _run(self) -> None:
        assert self.state is not None
        try:
            update = self._update = RecipeUpdate(shared_runner(), self.state)
        except LightboxError as error:
            self._fail("", error)
            return
        self._hide_what_is_off()
        for tag in update.missing:
            self.status.emit(tag, "waiting", "")
        update.progressed.connect(self.progressed)
        update.began.connect(lambda tag: self.status.emit(tag, "running", ""))
        update.made.connect(self._made)
        update.failed.connect(self._fail)
        update.finished.connect(self._finish)
        update.cancelled.connect(self.cancel)
        glimpse = self._glimpse = Glimpse(self._viewer, shared_runner(), update, self.state.shown)
        glimpse.seen.connect(self._showing.put_part)
        glimpse.finished.connect(update.start)
        glimpse.start()

    def _made(self, tag: str, outputs: Any) -> None:
        assert self.state is not None
        try:
            self._showing.put(self.state, tag, outputs)
        except (LightboxError, ValueError, MemoryError) as error:
            self._fail(tag, error)
            return
        self.status.emit(tag, "done", "")

    def _finish(self) -> None:
        """Show the result when no layer does yet, and make one undo step of all edits since the last time."""
        assert self.state is not None
        assert self._update is not None
        self._show_known(self._update)
        self._glimpse = self._update = None
        changes = self._showing.take_changes()
        before, after = self._settled, self._settle()
        if self._titles and before is not None:
            title = self._titles[-1] if len(self._titles) == 1 else f"{len(self._titles)} changes of the recipe"
            session_of(self._viewer).push(RecipeAction(title, changes, before, after, Adopting(self)))
        self._titles = []
        self.said.emit("Up to date.")
        self.changed.emit()
        self.idle.emit()

    def _show_known(self, update: RecipeUpdate) -> None:
        """Bring layers up to date whose results were known already, and add one for a result that has none."""
        assert self.state is not None
        state = self.state
        for (tag, output), layers in list(state.shown.items()):
            value = state.known.get(update.keys.get(tag, ""), {}).get(output)
            if isinstance(value, Volume) and any(self._showing.is_stale(layer, value) for layer in layers):
                self._showing.put(state, tag, {output: value})
        ref: Ref = state.recipe.target
        tag, output = state.place(ref)
        value = state.known.get(update.keys.get(tag, ""), {}).get(output)
        if isinstance(value, Volume) and not state.shown.get((tag, output)):
            self._showing.add(state, tag, output, value)

    def _hide_what_is_off(self) -> None:
        assert self.state is not None
        was_on = {s.tag: s.on for s in self._settled.recipe.steps} if self._settled is not None else {}
        for step in self.state.recipe.steps:
            if was_on.get(step.tag, step.on) != step.on:
                layers = [layer for place, found in self.state.shown.items() if place[0] == step.tag for layer in found]
                self._showing.hide(layers, not step.on)

    def _fail(self, tag: str, error: BaseException) -> None:
        self._drop()
        self._take_back_layers()
        if tag:
            self.status.emit(tag, "failed", str(error))
        self.said.emit(str(error))
        self.idle.emit()

    def _take_back_layers(self) -> None:
        for change in reversed(self._showing.take_changes()):
            if not change.gone:
                change.undo()
        if self.state is not None and self._settled is not None:
            self.state.shown = {place: list(layers) for place, layers in self._settled.shown.items()}

    def _settle(self) -> Settled | None:
        state = self.state
        if state is None:
            self._settled = None
        else:
            shown = {place: tuple(layers) for place, layers in state.shown.items()}
            self._settled = Settled(state.recipe, shown, tuple(state.inputs))
        return self._settled

    def _return_to(self, settled: Settled) -> None:
        """Look at an earlier recipe again, whose results the layers show."""
        assert self.state is not None
        self.state.recipe = settled.recipe
        self.state.shown = {place: [la for la in layers if la in self._viewer.layers] for place, layers in settled.shown.items()}
        self.state.inputs = list(settled.inputs)
        remember(self.state)
        self._settle()

    def adopt(self, settled: Settled, changes: Sequence[Change]) -> None:
        """Follow an undo or redo, when it concerns the recipe looked at."""
        tags = {step.tag for step in settled.recipe.steps}
        if self.state is None or not tags & {step.tag for step in self.state.recipe.steps}:
            return
        self._drop()
        self._titles = []
        self._return_to(settled)
        self.changed.emit()

    def _name(self, number: int) -> str:
        layer = self.state.inputs[number] if self.state is not None else None
        return layer.name if layer is not None else ""

    def _drop(self) -> None:
        self._timer.stop()
        if self._watch is not None:
            self._watch.release()
            self._watch = None
        for part in (self._glimpse, self._update):
            if part is not None:
                part.release()
        self._glimpse = self._update = None
