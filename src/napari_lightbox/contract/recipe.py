"""Recipe: a graph of techniques with parameters and versions, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from napari_lightbox.contract.recipe_refs import Ref, parse, read_ref, written
from napari_lightbox.contract.registry import registry
from napari_lightbox.errors import RecipeError

FORMAT = 2

Source: TypeAlias = str | tuple[str, ...] | None
"""Where an input comes from: a reference, several for an input that takes a list, None when it is left out."""


@dataclass(frozen=True)
class Step:
    """One run: a technique, its parameters, where its inputs come from.

    `inputs` holds references in declared order: ``"input"`` is the recipe's first input, ``"input:1"`` the second, ``"step:0"``
    the main output of the first step, ``"step:0.threshold"`` a further one, ``'value:"model.json"'`` a value that is part of the
    recipe. None leaves an optional input out; a tuple serves an input that takes a list.
    `options` are the engine's: ``over`` (axes to work over) and ``mask`` (a reference).
    A step that is not `on` hands its first input on. `tag` follows a step through edits and is not saved.
    """

    technique: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Source, ...] = ("input",)
    options: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True
    tag: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """The technique's title."""
        return registry.get(self.technique).title

    def sources(self) -> Iterator[str]:
        """Yield every reference, that of the mask included."""
        for source in (*self.inputs, self.options.get("mask")):
            if isinstance(source, tuple):
                yield from source
            elif source is not None:
                yield source

    def reads(self) -> frozenset[int]:
        """Return the numbers of the steps it reads from."""
        return frozenset(ref.number for ref in map(parse, self.sources()) if ref.kind == "step")


@dataclass(frozen=True)
class RecipeInput:
    """What an input was when the recipe was recorded; empty where that is not known.

    `identity` tells an array apart from a changed one, `lazy` says that it was not held in memory.
    """

    name: str = ""
    role: str = ""
    axes: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    path: str = ""
    identity: str = ""
    lazy: bool = False

    def in_words(self) -> str:
        """Return a short description."""
        parts = [self.role, self.axes, "x".join(map(str, self.shape)), self.dtype]
        return " ".join(p for p in parts if p)


@dataclass(frozen=True)
class Recipe:
    """Steps in an order in which they can run.

    `result` is the reference of what the recipe makes: the main output of the last step when it is empty.
    `inputs` describes what the recipe was recorded from; a recipe written by hand may leave it empty.
    """

    steps: tuple[Step, ...]
    version: str = ""
    name: str = ""
    inputs: tuple[RecipeInput, ...] = ()
    result: str = ""

    @property
    def target(self) -> Ref:
        """The result as a reference."""
        return parse(self.result) if self.result else Ref("step", len(self.steps) - 1)

    @property
    def input_count(self) -> int:
        """Number of inputs the recipe reads or describes."""
        used = [ref.number for step in self.steps for ref in map(parse, step.sources()) if ref.kind == "input"]
        return max([*(n + 1 for n in used), len(self.inputs), 1])

    def described(self, number: int) -> RecipeInput:
        """Return what is known about an input."""
        return self.inputs[number] if number < len(self.inputs) else RecipeInput()

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
            self._check_step(index, step)
        if self.result:
            self._check_source(len(self.steps), self.result, "the result")
        return self

    def to_json(self) -> str:
        """Return the recipe as JSON text."""
        data = {
            "lightbox_recipe": FORMAT,
            "version": self.version,
            "name": self.name,
            "inputs": [_describe(i) for i in self.inputs],
            "steps": [_write_step(s) for s in self.steps],
        }
        return json.dumps(data | ({"result": self.result} if self.result else {}), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read a recipe written by `to_json`, of this format or an older one.

        Raises
        ------
        RecipeError
            Not JSON, not a recipe, or from a newer format.
        """
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecipeError("recipe", f"is not JSON ({error})", "Save it again from napari or `lightbox`") from error
        if not isinstance(data, dict) or "lightbox_recipe" not in data:
            raise RecipeError("recipe", 'has no "lightbox_recipe" entry', "Give a recipe file written by napari-lightbox")
        _check_format(data)
        version, name, result = (str(data.get(k) or "") for k in ("version", "name", "result"))
        return cls(_read_steps(data.get("steps", [])), version, name, _read_inputs(data.get("inputs", [])), result)

    def _check_step(self, index: int, step: Step) -> None:
        technique = registry.get(step.technique)
        technique.complete(step.parameters)
        specs = technique.inputs
        if len(step.inputs) > len(specs):
            reason = f"step {index} gives {len(step.inputs)} inputs to {step.technique}, which takes {len(specs)}"
            raise RecipeError("recipe", reason, f"Give {', '.join(s.name for s in specs)}")
        for position, spec in enumerate(specs):
            given = step.inputs[position] if position < len(step.inputs) else None
            if not given and not spec.optional:
                raise RecipeError("recipe", f"step {index} gives no {spec.name} to {step.technique}", "Name where it comes from")
            if isinstance(given, tuple) and not spec.role.many:
                raise RecipeError("recipe", f"step {index} gives a list as {spec.name}", "Give one reference")
        if unknown := set(step.options) - {"over", "mask"}:
            raise RecipeError("recipe", f"step {index} has unknown options {sorted(unknown)}", "Options are over and mask")
        for source in step.sources():
            self._check_source(index, source, f"step {index}")

    def _check_source(self, index: int, source: str, reader: str) -> None:
        ref = read_ref(source)
        if ref is None or (ref.kind == "step" and ref.number >= index):
            raise RecipeError(
                "recipe", f"{reader} reads {source!r}, which does not exist yet", 'Use "input" or an earlier "step:N"'
            )
        if ref.kind == "step" and ref.output:
            made = registry.get(self.steps[ref.number].technique)
            present = [o.name for o in made.outputs if o.present(made.complete(self.steps[ref.number].parameters))]
            if ref.output not in present:
                raise RecipeError(
                    "recipe", f"{reader} reads {source!r}, but {made.id} gives {', '.join(present)}", "Name one of these outputs"
                )


def renumbered(steps: Sequence[Step], result: str, order: Sequence[int]) -> tuple[tuple[Step, ...], str]:
    """Return the steps of `order` with their references, and the result, following the new numbers."""
    new = {old: position for position, old in enumerate(order)}

    def follow(source: str) -> str:
        ref = parse(source)
        return written(replace(ref, number=new[ref.number])) if ref.kind == "step" else source

    return tuple(redirected(steps[old], follow) for old in order), follow(result) if result else ""


def redirected(step: Step, follow: Any) -> Step:
    """Return the step with `follow` applied to each reference."""
    inputs = tuple(tuple(map(follow, s)) if isinstance(s, tuple) else s if s is None else follow(s) for s in step.inputs)
    options = dict(step.options)
    if options.get("mask") is not None:
        options["mask"] = follow(options["mask"])
    return replace(step, inputs=inputs, options=options)


def _write_step(step: Step) -> dict[str, Any]:
    inputs = [list(s) if isinstance(s, tuple) else s for s in step.inputs]
    entry = {"technique": step.technique, "parameters": dict(step.parameters), "inputs": inputs, "options": dict(step.options)}
    return entry if step.on else entry | {"on": False}


def _describe(source: RecipeInput) -> dict[str, Any]:
    lasting = "" if source.identity.startswith("object:") else source.identity
    entry = {**vars(source), "shape": list(source.shape), "identity": lasting}
    return {key: value for key, value in entry.items() if value not in ("", [], False)}


def _check_format(data: Mapping[str, Any]) -> None:
    from napari_lightbox import __version__

    found = data["lightbox_recipe"]
    if isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= FORMAT:
        return
    writer = f" (written by napari-lightbox {data['version']})" if data.get("version") else ""
    reason = f"has format {found}{writer}; this is napari-lightbox {__version__}, which reads formats up to {FORMAT}"
    raise RecipeError("recipe", reason, "Update napari-lightbox, or save the recipe with this version")


def _read_steps(steps: Any) -> tuple[Step, ...]:
    way_out = "Every step needs a technique and parameters"
    if not isinstance(steps, list):
        raise RecipeError("recipe", "has no list of steps", way_out)
    try:
        return tuple(_read_step(s) for s in steps)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RecipeError("recipe", f"has a malformed step ({error!r})", way_out) from error


def _read_step(data: Mapping[str, Any]) -> Step:
    technique, inputs, options, on = (
        data["technique"],
        data.get("inputs", ["input"]),
        data.get("options", {}),
        data.get("on", True),
    )
    sources = tuple(tuple(s) if isinstance(s, list) else s for s in inputs)
    flat = [r for s in sources for r in (s if isinstance(s, tuple) else (s,))] + [options.get("mask"), options.get("over")]
    if not isinstance(inputs, list) or not isinstance(on, bool) or not isinstance(technique, str):
        raise TypeError(data)
    if not all(r is None or isinstance(r, str) for r in flat) or any(
        r is None for s in sources if isinstance(s, tuple) for r in s
    ):
        raise TypeError(flat)
    kept = {key: value for key, value in options.items() if value is not None}
    return Step(technique, dict(data.get("parameters", {})), sources, kept, on)


def _read_inputs(inputs: Any) -> tuple[RecipeInput, ...]:
    try:
        return tuple(
            RecipeInput(
                **{k: str(i.get(k, "")) for k in ("name", "role", "axes", "dtype", "path", "identity")},
                shape=tuple(int(n) for n in i.get("shape", ())),
                lazy=i.get("lazy") is True,
            )
            for i in inputs
        )
    except (TypeError, AttributeError, ValueError) as error:
        raise RecipeError("recipe", f"has a malformed input ({error!r})", "Save it again, or leave the inputs out") from error
