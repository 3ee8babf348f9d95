"""Change a recipe: switch steps off, remove, insert, reorder and reconnect them where the types fit; else say why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from napari_lightbox.contract.recipe import Recipe, RecipeInput, Source, Step, redirected, renumbered
from napari_lightbox.contract.recipe_kinds import article, available, describe, fits, kind_of
from napari_lightbox.contract.recipe_refs import parse, written
from napari_lightbox.contract.registry import registry
from napari_lightbox.errors import RecipeError


class Effective(NamedTuple):
    """A recipe without the steps that are off, and the number of each remaining step in the original."""

    recipe: Recipe
    numbers: tuple[int, ...]


def effective(recipe: Recipe) -> Effective:
    """Return what runs: steps that are off hand their first input on.

    Raises
    ------
    RecipeError
        What a step that is off hands on does not fit the step that reads it.
    """
    passed: dict[int, str] = {}
    steps = list(recipe.steps)

    def follow(source: str) -> str:
        ref = parse(source)
        if ref.kind != "step" or ref.number not in passed:
            return source
        if ref.output:
            title = recipe.steps[ref.number].title
            raise RecipeError(
                title, f"cannot be left out: its {ref.output} is still needed", "Change the step that reads it first"
            )
        return passed[ref.number]

    for number, step in enumerate(recipe.steps):
        steps[number] = redirected(step, follow)
        if not step.on:
            first = steps[number].inputs[0] if steps[number].inputs else None
            if not isinstance(first, str):
                raise RecipeError(step.title, "joins several images and cannot hand one on", "Remove it instead")
            passed[number] = first
    kept = tuple(n for n, s in enumerate(recipe.steps) if s.on)
    result = follow(written(recipe.target)) if recipe.steps else ""
    if not kept or parse(result).kind != "step":
        raise RecipeError("recipe", "has no step left that is on", "Switch one on")
    changed = replace(recipe, steps=tuple(steps), result=result)
    for number in kept:
        _check_fit(changed, number, recipe)
    new_steps, new_result = renumbered(steps, result, kept)
    return Effective(replace(recipe, steps=new_steps, result=new_result), kept)


def needed(recipe: Recipe, results: Sequence[str]) -> list[int]:
    """Return the numbers of the steps that some references depend on, in order."""
    wanted = {ref.number for ref in map(parse, results) if ref.kind == "step"}
    for number in range(len(recipe.steps) - 1, -1, -1):
        if number in wanted:
            wanted |= recipe.steps[number].reads()
    return sorted(wanted)


def pruned(recipe: Recipe) -> Recipe:
    """Return the recipe without steps and inputs that its result does not depend on."""
    result = written(recipe.target)
    steps, new_result = renumbered(recipe.steps, result, needed(recipe, [result]))
    used = sorted({ref.number for step in steps for ref in map(parse, step.sources()) if ref.kind == "input"})
    places = {old: new for new, old in enumerate(used)}

    def follow(source: str) -> str:
        ref = parse(source)
        return written(replace(ref, number=places[ref.number])) if ref.kind == "input" else source

    inputs = tuple(recipe.described(n) for n in used) if recipe.inputs else ()
    return replace(recipe, steps=tuple(redirected(s, follow) for s in steps), inputs=inputs, result=new_result)


def with_step(recipe: Recipe, number: int, step: Step) -> Recipe:
    """Return the recipe with one step replaced, checked."""
    steps = (*recipe.steps[:number], step, *recipe.steps[number + 1 :])
    return _checked(replace(recipe, steps=steps))


def removed(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe without one step; those that read it read its first input instead.

    Raises
    ------
    RecipeError
        It is the only step, or what it hands on does not fit.
    """
    if len(recipe.steps) == 1:
        raise RecipeError(recipe.steps[0].title, "is the only step", "Insert another one first")
    alone = tuple(replace(s, on=n != number) for n, s in enumerate(recipe.steps))
    left = effective(replace(recipe, steps=alone))
    steps = tuple(replace(s, on=recipe.steps[n].on) for s, n in zip(left.recipe.steps, left.numbers, strict=True))
    return _checked(replace(left.recipe, steps=steps))


def inserted(recipe: Recipe, step: Step, before: int | None = None) -> tuple[Recipe, int]:
    """Return the recipe with a further step, and its number.

    Its first input says where it stands: everything that reads the same reference reads the new step instead, or step `before`
    alone when that is given. Further inputs that the technique needs and `step` does not name are taken from what fits.

    Raises
    ------
    RecipeError
        The technique does not fit there; the message says why.
    """
    source = step.inputs[0]
    assert isinstance(source, str)
    new = len(recipe.steps)
    step = _completed(recipe, step, before)
    fresh = f"step:{new}"

    def follow(reference: str) -> str:
        return fresh if written(parse(reference)) == written(parse(source)) else reference

    readers = [before] if before is not None else range(len(recipe.steps))
    steps = [_first_redirected(s, follow, before) if n in readers else s for n, s in enumerate(recipe.steps)]
    result = follow(written(recipe.target)) if before is None else written(recipe.target)
    return _arranged(replace(recipe, steps=(*steps, step), result=result), new, recipe)


def moved_up(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe with a step before the one whose result it works on.

    Raises
    ------
    RecipeError
        It works on an input, its predecessor serves other steps too, or the types do not fit.
    """
    step = recipe.steps[number]
    first = parse(step.inputs[0]) if step.inputs and isinstance(step.inputs[0], str) else None
    if first is None or first.kind != "step":
        raise RecipeError(step.title, "works on an input of the recipe", "It already comes first")
    before = recipe.steps[first.number]
    if first.output or first.number in Step("", inputs=step.inputs[1:], options=step.options).reads():
        raise RecipeError(step.title, f"needs further results of {before.title}", "The two cannot change places")
    others = [s.title for n, s in enumerate(recipe.steps) if n != number and first.number in s.reads()]
    if others:
        raise RecipeError(before.title, f"also serves {', '.join(others)}", f"Insert a second {step.title} before it instead")
    mine, theirs = f"step:{number}", f"step:{first.number}"
    swap = {mine: theirs}
    steps = [redirected(s, lambda r: swap.get(r, r)) for s in recipe.steps]
    steps[number] = replace(step, inputs=(before.inputs[0], *step.inputs[1:]))
    steps[first.number] = replace(before, inputs=(mine, *before.inputs[1:]))
    result = written(recipe.target)
    return _arranged(replace(recipe, steps=tuple(steps), result=swap.get(result, result)), number, recipe)[0]


def moved_down(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe with a step behind the one that works on its result.

    Raises
    ------
    RecipeError
        Nothing works on its result, several steps do, or the types do not fit.
    """
    readers = [n for n, s in enumerate(recipe.steps) if s.inputs and s.inputs[0] == f"step:{number}"]
    if len(readers) != 1:
        reason = "several steps work on its result" if readers else "no step works on its result"
        raise RecipeError(recipe.steps[number].title, reason, "Move one of those instead" if readers else "It already comes last")
    return moved_up(recipe, readers[0])


def reconnected(recipe: Recipe, number: int, position: int, source: Source) -> Recipe:
    """Return the recipe with one input of a step read from elsewhere.

    Raises
    ------
    RecipeError
        It does not fit, or the step would read its own result.
    """
    step = recipe.steps[number]
    filled = [*step.inputs, *[None] * (position + 1 - len(step.inputs))]
    filled[position] = source
    steps = [*recipe.steps[:number], replace(step, inputs=tuple(filled)), *recipe.steps[number + 1 :]]
    return _arranged(replace(recipe, steps=tuple(steps), result=written(recipe.target)), number, recipe)[0]


def with_input(recipe: Recipe, described: RecipeInput) -> tuple[Recipe, str]:
    """Return the recipe with a further input, and its reference."""
    known = tuple(recipe.described(n) for n in range(recipe.input_count))
    return replace(recipe, inputs=(*known, described)), f"input:{len(known)}"


def _completed(recipe: Recipe, step: Step, before: int | None) -> Step:
    """Fill the inputs that the technique needs with the latest of what fits."""
    technique = registry.get(step.technique)
    offered = available(recipe, before if before is not None else len(recipe.steps))
    inputs: list[Source] = []
    for position, spec in enumerate(technique.inputs):
        given = step.inputs[position] if position < len(step.inputs) else None
        if given is None and not spec.optional:
            known = [r for r in reversed(offered) if r not in (*step.inputs, *inputs) and kind_of(recipe, r) is not None]
            given = next((r for r in known if fits(spec, kind_of(recipe, r))), None)
            if given is None:
                reason = f"also needs {spec.name} ({spec.role.name}), and nothing in this recipe can serve"
                raise RecipeError(technique.title, reason, "Open its own dock instead, then come back")
        inputs.append((given,) if isinstance(given, str) and spec.role.many else given)
    while inputs and inputs[-1] is None:
        inputs.pop()
    return replace(step, inputs=tuple(inputs))


def _first_redirected(step: Step, follow: Callable[[str], str], before: int | None) -> Step:
    if before is None:
        return redirected(step, follow)
    first = step.inputs[0]
    return replace(step, inputs=(follow(first) if isinstance(first, str) else first, *step.inputs[1:]))


def _arranged(recipe: Recipe, number: int, original: Recipe) -> tuple[Recipe, int]:
    """Return the recipe with its steps in an order that can run, checked, and where step `number` went."""
    order: list[int] = []
    rest = list(range(len(recipe.steps)))
    while rest:
        ready = next((n for n in rest if recipe.steps[n].reads() <= set(order)), None)
        if ready is None:
            raise RecipeError(recipe.steps[number].title, "would read its own result", "Choose something that is made earlier")
        order.append(ready)
        rest.remove(ready)
    for n in order:
        _check_fit(recipe, n, original)
    steps, result = renumbered(recipe.steps, recipe.result, order)
    return _checked(replace(recipe, steps=steps, result=result)), order.index(number)


def _checked(recipe: Recipe) -> Recipe:
    recipe.check()
    effective(recipe)
    return recipe


def _check_fit(recipe: Recipe, number: int, original: Recipe) -> None:
    """Raise when an input that is now something else than in `original` is of the wrong kind."""
    step = recipe.steps[number]
    old = original.steps[number].inputs if number < len(original.steps) else ()
    for position, (spec, source) in enumerate(zip(registry.get(step.technique).inputs, step.inputs, strict=False)):
        if not isinstance(source, str):
            continue
        kind = kind_of(recipe, source)
        if position < len(old) and old[position] == source and kind_of(original, source) == kind:
            continue
        if not fits(spec, kind):
            reason = f"takes {article(spec.role.name)} as {spec.name}, but {describe(recipe, source)} gives {article(kind or '')}"
            raise RecipeError(step.title, reason, "Choose a step that fits here")
