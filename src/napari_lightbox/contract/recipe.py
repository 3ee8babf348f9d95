"""Recipe: a chain of techniques with parameters and versions, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_lightbox.contract.registry import registry
from napari_lightbox.errors import RecipeError

FORMAT = 1


@dataclass(frozen=True)
class Step:
    """One run: a technique, its parameters, where its inputs come from.

    `inputs` holds names: ``"input"`` is the recipe's first input, ``"input:1"`` the second,
    ``"step:0"`` the main output of the first step and ``"step:0.threshold"`` a further one.
    `options` are the engine's: ``over``, ``mask``.
    """

    technique: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("input",)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """Steps in order; the result is the output of the last."""

    steps: tuple[Step, ...]
    version: str = ""
    name: str = ""

    def check(self) -> Recipe:
        """Return the recipe when every step can run.

        Raises
        ------
        RecipeError
            No step, or a step that names an input which does not exist yet.
        UnknownTechniqueError, ParameterError
            A step names something this version does not have.
        """
        if not self.steps:
            raise RecipeError("recipe", "has no steps", "Add at least one technique")
        for index, step in enumerate(self.steps):
            registry.get(step.technique).complete(step.parameters)
            for source in step.inputs:
                _check_source(index, source)
        return self

    def to_json(self) -> str:
        """Return the recipe as JSON text."""
        steps = [
            {"technique": s.technique, "parameters": dict(s.parameters), "inputs": list(s.inputs), "options": dict(s.options)}
            for s in self.steps
        ]
        return json.dumps({"lightbox_recipe": FORMAT, "version": self.version, "name": self.name, "steps": steps}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read a recipe written by `to_json`.

        Raises
        ------
        RecipeError
            Not JSON, not a recipe, or from a newer format.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise RecipeError("recipe", f"is not JSON ({error})", "Save it again from napari or `lightbox`") from error
        if not isinstance(data, dict) or "lightbox_recipe" not in data:
            raise RecipeError("recipe", 'has no "lightbox_recipe" entry', "Give a recipe file written by napari-lightbox")
        if data["lightbox_recipe"] != FORMAT:
            raise RecipeError(
                "recipe", f"has format {data['lightbox_recipe']}, this version reads {FORMAT}", "Update napari-lightbox"
            )
        return cls(_read_steps(data.get("steps", [])), str(data.get("version", "")), str(data.get("name", "")))


def _read_steps(steps: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    try:
        return tuple(
            Step(s["technique"], dict(s.get("parameters", {})), tuple(s.get("inputs", ["input"])), dict(s.get("options", {})))
            for s in steps
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RecipeError("recipe", f"has a malformed step ({error!r})", "Every step needs a technique and parameters") from error


def _check_source(index: int, source: str) -> None:
    head, _, rest = source.partition(":")
    number = rest.partition(".")[0]
    known = (head == "input" and (not rest or rest.isdigit())) or (head == "step" and number.isdigit() and int(number) < index)
    if not known:
        raise RecipeError(
            "recipe", f"step {index} reads {source!r}, which does not exist yet", 'Use "input" or an earlier "step:N"'
        )
