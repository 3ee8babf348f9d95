"""Which steps of a recipe must run: what was made from the same inputs with the same parameters is there already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from napari_lightbox.contract import Recipe, registry
from napari_lightbox.contract.recipe import Source
from napari_lightbox.contract.recipe_refs import Ref, parse

Results = Mapping[str, Mapping[str, Any]]


def step_keys(recipe: Recipe, sources: Sequence[str]) -> tuple[str, ...]:
    """Return a key per step that is equal for equal work; `sources` tell the recipe's inputs apart."""
    keys: list[str] = []

    def key_of(source: Source) -> Any:
        if source is None:
            return None
        if isinstance(source, tuple):
            return [key_of(s) for s in source]
        ref = parse(source)
        if ref.kind == "value":
            return source
        return [sources[ref.number] if ref.kind == "input" else keys[ref.number], ref.kind, output_of(recipe, ref)]

    for step in recipe.steps:
        complete = registry.get(step.technique).complete(step.parameters)
        done = [step.technique, complete, step.options.get("over"), key_of(step.options.get("mask")), *map(key_of, step.inputs)]
        keys.append(hashlib.blake2b(json.dumps(done, sort_keys=True, default=str).encode(), digest_size=12).hexdigest())
    return tuple(keys)


def output_of(recipe: Recipe, ref: Ref) -> str:
    """Return the name of the output that a reference to a step means."""
    return ref.output or (registry.get(recipe.steps[ref.number].technique).outputs[0].name if ref.kind == "step" else "")


def to_run(recipe: Recipe, keys: Sequence[str], wanted: Sequence[str], known: Results) -> list[int]:
    """Return the numbers of the steps that must run, in order, for some references to be there."""
    missing: set[int] = set()
    pending = list(wanted)
    while pending:
        ref = parse(pending.pop())
        if ref.kind != "step" or ref.number in missing or output_of(recipe, ref) in known.get(keys[ref.number], {}):
            continue
        missing.add(ref.number)
        pending.extend(recipe.steps[ref.number].sources())
    return sorted(missing)


def results_for(recipe: Recipe, keys: Sequence[str], known: Results) -> dict[int, Mapping[str, Any]]:
    """Return the known outputs by number of the step, the main one first."""
    found: dict[int, Mapping[str, Any]] = {}
    for number, key in enumerate(keys):
        outputs = known.get(key, {})
        main = output_of(recipe, Ref("step", number))
        found[number] = {name: outputs[name] for name in sorted(outputs, key=lambda n: n != main)}
    return found
