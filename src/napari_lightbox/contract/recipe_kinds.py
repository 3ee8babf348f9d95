"""What a reference inside a recipe gives, and where it fits."""

from __future__ import annotations

from napari_lightbox.contract.recipe import Recipe
from napari_lightbox.contract.recipe_refs import Ref, parse, written
from napari_lightbox.contract.registry import registry
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.contract.signature import InputSpec


def kind_of(recipe: Recipe, source: str) -> str | None:
    """Return what a reference gives: ``"image"``, ``"labels"``, ``"points"``, ...; None when that is not known."""
    ref = parse(source)
    if ref.kind == "input":
        return recipe.described(ref.number).role or None
    if ref.kind == "value":
        return "value"
    step = recipe.steps[ref.number]
    outputs = registry.get(step.technique).outputs
    role = next((o.role.name for o in outputs if o.name == ref.output), outputs[0].role.name)
    if role == "image_or_labels":
        first = step.inputs[0] if step.inputs else None
        return kind_of(recipe, first) if isinstance(first, str) else None
    return "labels" if role in LABEL_ROLES else role


def fits(spec: InputSpec, kind: str | None) -> bool:
    """Tell whether something of this kind can serve as an input."""
    role = spec.role.name
    if kind is None:
        return True
    if role in LABEL_ROLES:
        return kind == "labels"
    return kind in ("image", "labels") if role == "image_or_labels" else kind in (role, "value")


def available(recipe: Recipe, number: int) -> list[str]:
    """Return all references that a step may read without reading its own result."""
    below = {number}
    for n, step in enumerate(recipe.steps):
        if step.reads() & below:
            below.add(n)
    found = [written(Ref("input", n)) for n in range(recipe.input_count)]
    for n, step in enumerate(recipe.steps):
        if n not in below:
            made = registry.get(step.technique)
            present = [o for o in made.outputs if o.present(made.complete(step.parameters))]
            found += [written(Ref("step", n, "" if o is present[0] else o.name)) for o in present]
    return found


def describe(recipe: Recipe, source: str) -> str:
    """Return what a reference is for a person: the name of an input or the title of a step."""
    ref = parse(source)
    if ref.kind == "value":
        return str(ref.value)
    if ref.kind == "input":
        return recipe.described(ref.number).name or f"input {ref.number + 1}"
    title = recipe.steps[ref.number].title
    return f"{title} ({ref.output})" if ref.output else title


def article(role: str) -> str:
    """Return a role with its article."""
    return {"image": "an image", "image_or_labels": "an image or labels", "mask": "labels", "seeds": "labels"}.get(role, role)
