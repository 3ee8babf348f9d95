"""Replay a recipe on other inputs, and write one from what was done to a volume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dask.delayed import Delayed

from napari_lightbox import __version__
from napari_lightbox.contract import Recipe, RecipeInput, Step, registry
from napari_lightbox.contract.recipe import Source
from napari_lightbox.contract.recipe_edits import effective, needed, pruned
from napari_lightbox.contract.recipe_refs import Ref, parse, written
from napari_lightbox.engine.control import Control, Part, Report
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.provenance import Entry, carried, history_of
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import RecipeError, UnknownTechniqueError

Run = Callable[[Request, Control], Outcome]
_DESCRIBED = ("name", "role", "axes", "dtype", "path", "identity")


def replay(
    recipe: Recipe,
    inputs: Sequence[Any],
    *,
    lazy: bool = True,
    report: Report | None = None,
    control: Control | None = None,
    run: Run = execute,
) -> Mapping[str, Any]:
    """Run the steps of a recipe that its result needs, and return the outputs of the step that makes it, the result first.

    Parameters
    ----------
    recipe
        Steps to run; those that are off hand their first input on.
    inputs
        Volumes the recipe calls ``"input"``, ``"input:1"``, ...
    lazy
        Whether lazy inputs give lazy results.
    report
        Called with (fraction, message).
    control
        Progress and cancel instead of `report`.
    run
        Runs one request; a runner elsewhere can be put in.

    Raises
    ------
    RecipeError
        The recipe asks for an input that was not given.
    """
    recipe.check()
    recipe = effective(recipe).recipe
    whole = control if control is not None else Control(report)
    order = needed(recipe, [written(recipe.target)])
    done: dict[int, Mapping[str, Any]] = {}
    for position, number in enumerate(order):
        request = request_of(recipe.steps[number], inputs, done, lazy=lazy)
        done[number] = run(request, Part(whole, position, len(order))).outputs
        still_read = {n for later in order[position + 1 :] for n in recipe.steps[later].reads()} | {recipe.target.number}
        done = {n: outputs for n, outputs in done.items() if n in still_read}
    outputs = done[recipe.target.number]
    name = recipe.target.output or next(iter(outputs))
    return {name: outputs[name], **outputs}


def request_of(step: Step, inputs: Sequence[Any], done: Mapping[int, Mapping[str, Any]], *, lazy: bool = True) -> Request:
    """Return the run that a step stands for, given the recipe's inputs and the outputs of earlier steps."""
    values = tuple(_value(source, inputs, done) for source in step.inputs)
    mask = _value(step.options.get("mask"), inputs, done)
    return Request(step.technique, values, step.parameters, mask=mask, over=step.options.get("over"), lazy=lazy)


@dataclass(frozen=True)
class History:
    """A recipe with where it comes from: the provenance id of each step."""

    recipe: Recipe
    ids: tuple[str, ...]
    entries: tuple[Entry, ...]


def recipe_of(volume: Any, name: str = "") -> Recipe:
    """Return the graph of techniques that made a volume; its inputs are what no technique of ours has made.

    Raises
    ------
    RecipeError
        Nothing is known about how the volume was made.
    """
    history = history_of(volume)
    if not history:
        raise RecipeError(getattr(volume, "name", "") or "volume", "carries no provenance", "Make it with napari-lightbox first")
    recipe = recipe_from(history, history[-1]["id"], history[-1].get("output", "")).recipe
    return replace(pruned(recipe), name=name)


def recipe_from(entries: Sequence[Entry], target: str, output: str = "") -> History:
    """Return the recipe of a joined history whose result is an output of the step with the id `target`."""
    numbers = {entry["id"]: number for number, entry in enumerate(entries)}
    inputs = _Inputs(entries, numbers)
    inputs.follow_main(target)
    steps = tuple(_step(entry, inputs) for entry in entries)
    result = written(Ref("step", numbers[target], _further_of(steps[numbers[target]].technique, output)))
    recipe = Recipe(steps, __version__, "", tuple(inputs.described), result)
    return History(recipe, tuple(numbers), tuple(entries))


class _Inputs:
    """Numbers the sources of a history: equal arrays are one input, the one that the main line starts from is the first."""

    def __init__(self, entries: Sequence[Entry], numbers: Mapping[str, int]) -> None:
        self._entries = {entry["id"]: entry for entry in entries}
        self._numbers = numbers
        self._steps: list[str] = []
        self.described: list[RecipeInput] = []

    def follow_main(self, target: str) -> None:
        """Make the source at the start of the chain of first inputs the first one."""
        entry: Entry | None = self._entries[target]
        while entry is not None and entry["inputs"]:
            first = entry["inputs"][0]
            if "step" not in first:
                self.reference(first)
                return
            entry = self._entries.get(first["step"])

    def reference(self, given: Mapping[str, Any]) -> str:
        """Return the reference of one recorded input."""
        if "value" in given:
            return written(Ref("value", value=given["value"]))
        if "step" in given and given["step"] in self._entries:
            made = self._entries[given["step"]]
            return written(Ref("step", self._numbers[given["step"]], _further_of(made["technique"], given.get("output", ""))))
        key = json.dumps([given.get("identity"), given.get("axes"), given.get("stack")] if "identity" in given else dict(given))
        if key not in self._steps:
            self._steps.append(key)
            self.described.append(_described(given))
        return written(Ref("input", self._steps.index(key)))


def _described(given: Mapping[str, Any]) -> RecipeInput:
    texts = {key: str(given.get(key, "")) for key in _DESCRIBED}
    shape = tuple(given.get("shape", ()))
    if "stack" in given:
        return RecipeInput(**texts | {"axes": ""}, shape=(given["stack"], *shape), lazy=bool(given.get("lazy")))
    return RecipeInput(**texts, shape=shape, lazy=bool(given.get("lazy")))


def _step(entry: Entry, inputs: _Inputs) -> Step:
    sources: dict[str, list[str]] = {}
    for given in entry["inputs"]:
        sources.setdefault(given["input"], []).append(inputs.reference(given))
    options = {"over": entry["over"]} if entry.get("over") and entry.get("over_asked", True) else {}
    if "mask" in entry:
        options["mask"] = inputs.reference(entry["mask"])
    return Step(entry["technique"], entry["parameters"], _in_order(entry, sources), options)


def _in_order(entry: Entry, sources: Mapping[str, list[str]]) -> tuple[Source, ...]:
    """Return the sources by the technique's declared inputs, None for those left out."""
    try:
        specs = registry.get(entry["technique"]).inputs
    except UnknownTechniqueError:
        return tuple(s[0] for s in sources.values())
    ordered: list[Source] = []
    for spec in specs:
        found = sources.get(spec.name, [])
        stack = any("stack" in given for given in entry["inputs"])
        ordered.append(None if not found else tuple(found) if spec.role.many and not stack else found[0])
    while ordered and ordered[-1] is None:
        ordered.pop()
    return tuple(ordered)


def _further_of(technique: str, output: str) -> str:
    """Return the name of an output that is not the main one, empty for the main one."""
    try:
        main = registry.get(technique).outputs[0].name
    except UnknownTechniqueError:
        return output
    return "" if output == main else output


def _value(source: Source, inputs: Sequence[Any], done: Mapping[int, Mapping[str, Any]]) -> Any:
    if source is None:
        return None
    if isinstance(source, tuple):
        return [_value(s, inputs, done) for s in source]
    ref = parse(source)
    if ref.kind == "value":
        return ref.value
    if ref.kind == "input":
        if ref.number >= len(inputs):
            raise RecipeError("recipe", f"needs input {ref.number + 1}, {len(inputs)} given", "Pass one file or layer per input")
        return inputs[ref.number]
    outputs = done[ref.number]
    value = outputs[ref.output] if ref.output else next(iter(outputs.values()))
    # tables and transforms are small and steer the next step: they cannot wait for it
    return carried(value, *compute_all([value])) if isinstance(value, Delayed) else value
