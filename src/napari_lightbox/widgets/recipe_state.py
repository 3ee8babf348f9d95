"""The recipe behind the layers of a viewer: which layer shows which step, and which layers are its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer

from napari_lightbox.contract import Recipe, RecipeInput, registry
from napari_lightbox.contract.recipe_edits import effective
from napari_lightbox.contract.recipe_refs import Ref, parse, written
from napari_lightbox.contract.roles import Role
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.engine.provenance import joined, steps_of
from napari_lightbox.engine.recipe_plan import output_of, step_keys
from napari_lightbox.engine.recipes import recipe_from
from napari_lightbox.errors import InputError, RecipeError
from napari_lightbox.widgets.layers import data_shape, is_preview, suggest_axes, volume_of
from napari_lightbox.widgets.values import accepts, input_value

if TYPE_CHECKING:
    from napari.components import ViewerModel

Place = tuple[str, str]
"""A step by its tag, and the name of one of its outputs."""


@dataclass
class RecipeState:
    """A recipe with the layers that belong to it.

    Parameters
    ----------
    recipe
        All steps that share something with the layer looked at; its result is what that layer shows.
    shown
        Which layers show which output.
    inputs
        The layer behind each input, None where there is none.
    known
        Results by key of the step: what need not be made again.
    """

    recipe: Recipe
    shown: dict[Place, list[Layer]] = field(default_factory=dict)
    inputs: list[Layer | None] = field(default_factory=list)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def target(self) -> Place:
        """The output that the recipe is for."""
        return self.place(self.recipe.target)

    def place(self, ref: Ref) -> Place:
        """Return the tag and the output that a reference to a step means."""
        return self.recipe.steps[ref.number].tag, output_of(self.recipe, ref)

    def layers(self) -> Iterable[Layer]:
        """Yield all layers that show a result."""
        for found in self.shown.values():
            yield from found

    def identities(self) -> list[str]:
        """Return what tells the inputs apart, for keys."""
        count = self.recipe.input_count
        return [self.recipe.described(n).identity or f"unknown:{n}" for n in range(count)]

    def wanted(self) -> list[str]:
        """Return references, in the recipe without steps that are off, to all outputs that layers show, the target last."""
        running = effective(self.recipe)
        numbers = {self.recipe.steps[old].tag: new for new, old in enumerate(running.numbers)}
        places = [place for place in self.shown if place[0] in numbers and self.shown[place]]
        found = [written(Ref("step", numbers[tag], output)) for tag, output in places]
        return [*found, written(running.recipe.target)]

    def value(self, number: int) -> Any:
        """Return what the engine gets as an input.

        Raises
        ------
        InputError
            No layer is chosen for it.
        """
        layer = self.inputs[number] if number < len(self.inputs) else None
        described, spec = self.recipe.described(number), first_use(self.recipe, number)
        if layer is None:
            name = described.name or f"Input {number + 1}"
            raise InputError(name, "is not among the layers", "Click it in the recipe and choose a layer for it")
        if isinstance(layer, (Image, Labels)):
            return volume_of(layer, axes_for(layer, described))
        first = self.inputs[0]
        if first is None:
            raise InputError(layer.name, "lies on an image that is not among the layers", "Choose a layer for the first input")
        return input_value(spec, layer, first, axes_for(first, self.recipe.described(0)))


def state_of(viewer: ViewerModel, layer: Layer) -> RecipeState:
    """Return the recipe of a layer and of everything made on the way to it or from it.

    Raises
    ------
    RecipeError
        The layer was not made by a technique.
    """
    own = _history(layer)
    if not own:
        raise RecipeError(layer.name, "was not made by a technique", "Choose a result, or load a recipe")
    ids = {entry["id"] for entry in own}
    others = [h for h in map(_history, _pixel_layers(viewer)) if ids & {entry["id"] for entry in h}]
    entries = joined([own, *others])
    history = recipe_from(entries, own[-1]["id"], own[-1].get("output", ""))
    steps = tuple(replace(step, tag=tag) for step, tag in zip(history.recipe.steps, history.ids, strict=True))
    state = RecipeState(replace(history.recipe, steps=steps))
    for shown in _pixel_layers(viewer):
        last = next(iter(_history(shown)[-1:]), None)
        if last is not None and last["id"] in history.ids:
            state.shown.setdefault((last["id"], last.get("output") or _main(last)), []).append(shown)
    state.inputs = [find_input(viewer, state, n) for n in range(state.recipe.input_count)]
    remember(state)
    return state


def remember(state: RecipeState) -> None:
    """Take what the layers show as results that need not be made again."""
    running = effective(state.recipe)
    keys = step_keys(running.recipe, state.identities())
    state.known.clear()
    for new, old in enumerate(running.numbers):
        tag = state.recipe.steps[old].tag
        for (shown_tag, output), layers in state.shown.items():
            if shown_tag == tag and layers:
                state.known.setdefault(keys[new], {})[output] = volume_of(layers[0])


def find_input(viewer: ViewerModel, state: RecipeState, number: int) -> Layer | None:
    """Return the layer that an input was recorded from: by its name, and the right kind and shape."""
    described, spec = state.recipe.described(number), first_use(state.recipe, number)
    made = list(state.layers())
    fitting = [layer for layer in viewer.layers if fits_input(spec, described, layer) and layer not in made]
    alike = [layer for layer in fitting if not described.shape or _shape(layer) in (None, described.shape)]
    named = [layer for layer in (*alike, *fitting) if layer.name == described.name]
    if named:
        return named[0]
    return alike[0] if len(alike) == 1 and not described.name else None


def fits_input(spec: InputSpec, described: RecipeInput, layer: Layer) -> bool:
    """Tell whether a layer can serve as an input of a recipe."""
    role = spec.role.name
    if described.role in ("image", "labels") and isinstance(layer, (Image, Labels)):
        return not is_preview(layer) and isinstance(layer, Labels) == (described.role == "labels")
    return accepts(role, layer)


def first_use(recipe: Recipe, number: int) -> InputSpec:
    """Return the declared input that reads an input of the recipe first."""
    for step in recipe.steps:
        for spec, source in zip(registry.get(step.technique).inputs, step.inputs, strict=False):
            given = source if isinstance(source, tuple) else (source,)
            if any(s is not None and parse(s) == Ref("input", number) for s in given):
                return spec
    return InputSpec("mask", Role("mask"), optional=True)


def axes_for(layer: Layer, described: RecipeInput) -> str:
    """Return the axes of a layer as an input: those recorded where they fit, else its own."""
    if len(described.axes) == len(data_shape(layer)) and layer.name == described.name:
        return described.axes
    return suggest_axes(layer)[0]


def _main(entry: dict[str, Any]) -> str:
    return registry.get(entry["technique"]).outputs[0].name


def _history(layer: Layer) -> list[dict[str, Any]]:
    if not isinstance(layer, (Image, Labels)) or is_preview(layer):
        return []
    return steps_of(layer.metadata)


def _pixel_layers(viewer: ViewerModel) -> list[Layer]:
    return [layer for layer in viewer.layers if isinstance(layer, (Image, Labels))]


def _shape(layer: Layer) -> tuple[int, ...] | None:
    return data_shape(layer) if isinstance(layer, (Image, Labels)) else None
