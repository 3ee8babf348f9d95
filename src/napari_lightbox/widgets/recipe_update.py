"""Run what is missing of a recipe, one step after the other, in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dask.delayed import Delayed
from qtpy.QtCore import QObject, Signal

from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_edits import effective
from napari_lightbox.contract.recipe_refs import parse
from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.provenance import carried
from napari_lightbox.engine.recipe_plan import output_of, results_for, step_keys, to_run
from napari_lightbox.engine.recipes import request_of
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Job, Outcome, Runner
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.recipe_state import RecipeState
from napari_lightbox.widgets.worker import Watch


class RecipeUpdate(QObject):  # type: ignore[misc]
    """One run through a recipe; `recipe` is what is on of it, `queue` the numbers of the steps that must run.

    Emits `progressed(fraction, message)`, `began(tag)` and `made(tag, outputs)` for each step that ran, then exactly one of
    `finished()`, `failed(tag, error)` and `cancelled()`. After `release` it emits nothing more.
    """

    progressed = Signal(float, str)
    began = Signal(str)
    made = Signal(str, object)
    finished = Signal()
    failed = Signal(str, object)
    cancelled = Signal()

    def __init__(self, runner: Runner, state: RecipeState) -> None:
        super().__init__()
        self._runner = runner
        self._state = state
        self._watch: Watch | None = None
        running = effective(state.recipe)
        self.recipe: Recipe = running.recipe
        self.tags = [state.recipe.steps[n].tag for n in running.numbers]
        self._keys = step_keys(self.recipe, state.identities())
        self.queue = to_run(self.recipe, self._keys, state.wanted(), state.known)
        self._count = len(self.queue)
        self._inputs: list[Any] = [None] * state.recipe.input_count

    @property
    def keys(self) -> Mapping[str, str]:
        """The key of each step that is on, by its tag."""
        return dict(zip(self.tags, self._keys, strict=True))

    @property
    def missing(self) -> list[str]:
        """Tags of the steps that have not run yet, in order."""
        return [self.tags[n] for n in self.queue]

    def start(self) -> None:
        """Run the next step, or finish."""
        if not self.queue:
            for key in [k for k in self._state.known if k not in self._keys]:
                del self._state.known[key]
            self.finished.emit()
            return
        number = self.queue[0]
        self.began.emit(self.tags[number])
        try:
            waiting = self._delayed(number)
            if waiting:
                self._follow(_computing(waiting).start(), lambda outcome: self._take_values(outcome, waiting))
                return
            request = self.request(number, {})
            self._follow(self._runner.submit(request), self._take)
        except LightboxError as error:
            self.failed.emit(self.tags[number], error)

    def known(self, number: int) -> Mapping[str, Any]:
        """Return what is known of a step's outputs."""
        return self._state.known.get(self._keys[number], {})

    def request(self, number: int, instead: Mapping[int, Mapping[str, Any]]) -> Request:
        """Return the run of a step, with `instead` in place of what is known of earlier ones.

        Raises
        ------
        LightboxError
            There is no layer for an input.
        """
        self._read_inputs(number)
        done = results_for(self.recipe, self._keys, self._state.known)
        return request_of(self.recipe.steps[number], self._inputs, {**done, **instead})

    def release(self) -> None:
        """Stop and say nothing more."""
        self.queue = []
        if self._watch is not None:
            self._watch.release()
            self._watch = None
        self.blockSignals(True)

    def _follow(self, job: Job, then: Callable[[Outcome], None]) -> None:
        watch = self._watch = Watch(job)
        watch.progressed.connect(self._report)
        watch.finished.connect(then)
        watch.failed.connect(lambda error: self.failed.emit(self.tags[self.queue[0]], error))
        watch.cancelled.connect(self.cancelled.emit)

    def _read_inputs(self, number: int) -> None:
        """Read those inputs from their layers that a step is the first to ask for."""
        for ref in map(parse, self.recipe.steps[number].sources()):
            if ref.kind == "input" and self._inputs[ref.number] is None:
                self._inputs[ref.number] = self._state.value(ref.number)

    def _take(self, outcome: Outcome) -> None:
        self._watch = None  # it refers to this object: kept, the two would never be freed
        number = self.queue.pop(0)
        self._state.known.setdefault(self._keys[number], {}).update(outcome.outputs)
        self.made.emit(self.tags[number], outcome.outputs)
        self.start()

    def _take_values(self, outcome: Outcome, waiting: Mapping[tuple[str, str], Any]) -> None:
        self._watch = None
        for (key, name), lazy in waiting.items():
            self._state.known[key][name] = carried(lazy, outcome.outputs[f"{key}.{name}"])
        self.start()

    def _delayed(self, number: int) -> dict[tuple[str, str], Any]:
        """Return the tables and transforms that a step reads and nobody has computed yet."""
        refs = [ref for ref in map(parse, self.recipe.steps[number].sources()) if ref.kind == "step"]
        found: dict[tuple[str, str], Any] = {}
        for ref in refs:
            outputs = self._state.known.get(self._keys[ref.number], {})
            found |= {
                (self._keys[ref.number], n): v
                for n, v in outputs.items()
                if isinstance(v, Delayed) and n == output_of(self.recipe, ref)
            }
        return found

    def _report(self, fraction: float, message: str) -> None:
        done = self._count - len(self.queue)
        title = self.recipe.steps[self.queue[0]].title if self.queue else ""
        self.progressed.emit((done + fraction) / max(self._count, 1), f"{title}: {message}" if message else title)


def _computing(waiting: Mapping[tuple[str, str], Any]) -> BackgroundJob:
    """Return a job that computes lazy values."""
    names = [f"{key}.{name}" for key, name in waiting]
    return BackgroundJob(lambda control: dict(zip(names, compute_all(list(waiting.values()), control), strict=True)), "values")
