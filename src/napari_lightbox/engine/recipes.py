"""Replay a recipe on other inputs, and write one from what was done to a volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.axes import Volume
from napari_lightbox.contract import Recipe, Step
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.provenance import steps_of
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import RecipeError


def replay(
    recipe: Recipe, inputs: Sequence[Any], *, lazy: bool = True, report: Callable[[float, str], None] | None = None
) -> Mapping[str, Any]:
    """Run all steps of a recipe and return the outputs of the last by name.

    Parameters
    ----------
    recipe
        Steps to run.
    inputs
        Volumes the recipe calls ``"input"``, ``"input:1"``, ...
    lazy
        Whether lazy inputs give lazy results.
    report
        Called with (fraction, message).

    Raises
    ------
    RecipeError
        The recipe asks for an input that was not given.
    """
    recipe.check()
    done: list[Mapping[str, Any]] = []
    for number, step in enumerate(recipe.steps):
        control = Control(_share(report, number, len(recipe.steps)))
        values = tuple(_source(name, inputs, done) for name in step.inputs)
        mask = _source(step.options["mask"], inputs, done) if step.options.get("mask") else None
        request = Request(step.technique, values, step.parameters, mask=mask, over=step.options.get("over"), lazy=lazy)
        done.append(execute(request, control).outputs)
    return done[-1]


def recipe_of(volume: Volume, name: str = "") -> Recipe:
    """Return the chain of techniques that made a volume, taking further inputs as the recipe's own inputs.

    Raises
    ------
    RecipeError
        Nothing is known about how the volume was made.
    """
    history = steps_of(volume.metadata)
    if not history:
        raise RecipeError(volume.name or "volume", "carries no provenance", "Make it with napari-lightbox first")
    steps, extra = [], 0
    for number, entry in enumerate(history):
        aligned = [i for i in entry["inputs"] if i["input"] != "mask" or entry["technique"] == "mask"]
        sources = ["input" if number == 0 else f"step:{number - 1}"]
        for _ in aligned[1:]:
            extra += 1
            sources.append(f"input:{extra}")
        steps.append(Step(entry["technique"], entry["parameters"], tuple(sources), {"over": entry["over"]}))
    return Recipe(tuple(steps), __version__, name)


def _share(report: Callable[[float, str], None] | None, number: int, total: int) -> Callable[[float, str], None] | None:
    if report is None:
        return None
    return lambda fraction, message: report((number + fraction) / total, message)


def _source(name: str, inputs: Sequence[Any], done: Sequence[Mapping[str, Any]]) -> Any:
    head, _, rest = name.partition(":")
    if head == "input":
        position = int(rest or 0)
        if position >= len(inputs):
            raise RecipeError("recipe", f"needs input {position + 1}, {len(inputs)} given", "Pass one file or layer per input")
        return inputs[position]
    number, _, output = rest.partition(".")
    outputs = done[int(number)]
    return outputs[output] if output else next(iter(outputs.values()))
