"""Editing a recipe: what fits is rewired as a person means it, what does not fit says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.contract import Recipe, RecipeInput, Step
from napari_lightbox.contract.recipe_edits import (
    effective,
    inserted,
    moved_down,
    moved_up,
    needed,
    pruned,
    reconnected,
    removed,
    with_input,
    with_step,
)
from napari_lightbox.contract.recipe_kinds import available, kind_of
from napari_lightbox.errors import ParameterError, RecipeError

IMAGE = RecipeInput("MRI", "image", "zyx", (4, 8, 8), "uint16")
#     image -> blur -> median -> otsu -> parts -> watershed(blur, parts)
CHAIN = Recipe(
    (
        Step("gaussian_blur", {"sigma": 1.0}, tag="blur"),
        Step("median_filter", {"size": 3}, ("step:0",), tag="median"),
        Step("threshold_otsu", {}, ("step:1",), tag="otsu"),
        Step("connected_components", {}, ("step:2",), tag="parts"),
        Step("marker_controlled_watershed", {}, ("step:0", "step:3"), tag="watershed"),
    ),
    inputs=(IMAGE,),
).check()


def shape(recipe: Recipe) -> dict[str, tuple]:
    """What each step reads, by tag instead of number."""

    def named(source):
        if source is None or not source.startswith("step:"):
            return source
        number, _, output = source[5:].partition(".")
        return recipe.steps[int(number)].tag + (f".{output}" if output else "")

    return {s.tag: tuple(map(named, s.inputs)) for s in recipe.steps} | {
        "": (named(recipe.result or f"step:{len(recipe.steps) - 1}"),)
    }


def test_a_step_that_is_off_hands_its_input_on() -> None:
    off = with_step(CHAIN, 1, replace(CHAIN.steps[1], on=False))
    runs, numbers = effective(off)
    assert numbers == (0, 2, 3, 4)
    assert shape(runs) == {
        "blur": ("input",),
        "otsu": ("blur",),
        "parts": ("otsu",),
        "watershed": ("blur", "parts"),
        "": ("watershed",),
    }
    both = with_step(off, 0, replace(off.steps[0], on=False))
    assert shape(effective(both).recipe)["watershed"] == ("input", "parts")


def test_what_is_off_must_hand_on_what_fits() -> None:
    with pytest.raises(RecipeError, match=r"Connected components: takes labels as mask, but Median.* gives an image"):
        with_step(CHAIN, 2, replace(CHAIN.steps[2], on=False))
    further = Recipe((Step("threshold_local"), Step("gaussian_blur", {}, ("step:0.threshold",))))
    with pytest.raises(RecipeError, match="its threshold is still needed"):
        with_step(further, 0, replace(further.steps[0], on=False))
    with pytest.raises(RecipeError, match="no step left"):
        with_step(Recipe((Step("invert_intensity"),)), 0, Step("invert_intensity", on=False))


def test_removing_joins_the_neighbours() -> None:
    assert shape(removed(CHAIN, 0)) == {
        "median": ("input",),
        "otsu": ("median",),
        "parts": ("otsu",),
        "watershed": ("input", "parts"),
        "": ("watershed",),
    }
    assert shape(removed(CHAIN, 4))[""] == ("blur",), "the result is then what the last step worked on"
    with pytest.raises(RecipeError, match="is the only step"):
        removed(Recipe((Step("invert_intensity"),)), 0)
    off = with_step(CHAIN, 1, replace(CHAIN.steps[1], on=False))
    assert [s.on for s in removed(off, 0).steps] == [False, True, True, True]


def test_inserting_after_serves_all_readers_and_before_one() -> None:
    after, number = inserted(CHAIN, Step("invert_intensity", {}, ("step:0",), tag="new"))
    assert after.steps[number].tag == "new"
    assert shape(after)["new"] == ("blur",)
    assert (shape(after)["median"], shape(after)["watershed"]) == (("new",), ("new", "parts"))
    before, _ = inserted(CHAIN, Step("invert_intensity", {}, ("step:0",), tag="new"), before=1)
    assert (shape(before)["median"], shape(before)["watershed"]) == (("new",), ("blur", "parts"))
    last, _ = inserted(CHAIN, Step("binary_fill_holes", {}, ("step:4",), tag="new"))
    assert shape(last)[""] == ("new",)
    first, _ = inserted(CHAIN, Step("invert_intensity", {}, ("input",), tag="new"))
    assert (shape(first)["new"], shape(first)["blur"]) == (("input",), ("new",))


def test_inserting_finds_further_inputs_or_says_what_is_missing() -> None:
    recipe, _ = inserted(CHAIN, Step("mask_cutout", {}, ("step:1",), tag="new"), before=4)
    assert shape(recipe)["new"] == ("median", "parts"), "the latest labels there are"
    with pytest.raises(RecipeError, match=r"also needs seeds \(seeds\)"):
        inserted(Recipe((Step("gaussian_blur"),), inputs=(IMAGE,)), Step("random_walker", {}, ("step:0",)))
    with pytest.raises(RecipeError, match="Median filter: takes an image as image, but Otsu threshold gives labels"):
        inserted(CHAIN, Step("threshold_otsu", {}, ("step:0",)), before=1)
    with pytest.raises(RecipeError, match=r"Gaussian blur: takes an image .* gives labels"):
        inserted(CHAIN, Step("gaussian_blur", {}, ("step:3",)))


def test_neighbours_change_places() -> None:
    plain = Recipe(CHAIN.steps[:4], inputs=(IMAGE,))
    assert shape(moved_up(plain, 1)) == {
        "median": ("input",),
        "blur": ("median",),
        "otsu": ("blur",),
        "parts": ("otsu",),
        "": ("parts",),
    }
    assert shape(moved_down(plain, 0)) == shape(moved_up(plain, 1))
    assert shape(moved_down(moved_up(plain, 1), 0)) == shape(plain)
    two = Recipe(plain.steps[:2], inputs=(IMAGE,))
    assert shape(moved_up(two, 1))[""] == ("blur",), "what comes last is the result"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "works on an input"),
        (1, "also serves Watershed"),
        (2, "takes an image as image, but Otsu threshold gives labels"),
        (3, "takes labels as mask, but Median filter gives an image"),
    ],
)
def test_what_cannot_move_says_why(number: int, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        moved_up(CHAIN, number)


def test_moving_down_needs_one_reader() -> None:
    with pytest.raises(RecipeError, match="several steps work on its result"):
        moved_down(CHAIN, 0)
    with pytest.raises(RecipeError, match="no step works on its result"):
        moved_down(CHAIN, 4)


def test_reconnecting_sorts_the_steps_and_refuses_circles() -> None:
    changed = reconnected(CHAIN, 0, 0, "input")
    assert shape(changed) == shape(CHAIN)
    recipe, reference = with_input(CHAIN, RecipeInput("seeds", "labels"))
    painted = reconnected(recipe, 4, 1, reference)
    assert shape(painted)["watershed"] == ("blur", "input:1")
    assert needed(painted, ["step:4"]) == [0, 4]
    with pytest.raises(RecipeError, match="its own result"):
        reconnected(CHAIN, 2, 1, "step:3")
    with pytest.raises(RecipeError, match="takes labels as seeds, but Gaussian blur gives an image"):
        reconnected(CHAIN, 4, 1, "step:0")
    assert "step:3" not in available(CHAIN, 1)
    assert available(CHAIN, 4) == ["input", "step:0", "step:1", "step:2", "step:2.threshold", "step:3"]


def test_a_later_step_may_be_read_when_that_makes_no_circle() -> None:
    two = Recipe(
        (
            Step("gaussian_blur", tag="a"),
            Step("median_filter", tag="b"),
            Step("histogram_matching", {}, ("step:0", "step:1"), tag="c"),
        )
    )
    changed = reconnected(two, 0, 0, "step:1")
    assert [s.tag for s in changed.steps] == ["b", "a", "c"]
    assert shape(changed)["a"] == ("b",)


def test_a_parameter_that_is_not_allowed_changes_nothing() -> None:
    with pytest.raises(ParameterError):
        with_step(CHAIN, 1, replace(CHAIN.steps[1], parameters={"size": 4.5}))


def test_pruning_keeps_what_the_result_needs() -> None:
    recipe, _ = with_input(CHAIN, RecipeInput("unused", "labels"))
    small = pruned(replace(recipe, result="step:1"))
    assert [s.tag for s in small.steps] == ["blur", "median"]
    assert [i.name for i in small.inputs] == ["MRI"]
    assert small.result == "step:1"


def test_labels_and_images_are_told_apart_through_steps_that_take_both() -> None:
    recipe = Recipe(
        (Step("threshold_otsu"), Step("invert_intensity", {}, ("step:0",)), Step("invert_intensity")), inputs=(IMAGE,)
    )
    assert kind_of(recipe, "step:1") == "labels"
    assert kind_of(recipe, "step:2") == "image"
    assert kind_of(recipe, "step:0.threshold") == "value"
    assert kind_of(replace(recipe, inputs=()), "input") is None


@given(st.lists(st.tuples(st.sampled_from(["off", "on", "remove", "up", "down", "insert"]), st.integers(0, 9)), max_size=8))
def test_any_row_of_edits_leaves_a_recipe_that_can_run(edits: list[tuple[str, int]]) -> None:
    recipe = CHAIN
    for edit, place in edits:
        number = place % len(recipe.steps)
        try:
            if edit in ("on", "off"):
                recipe = with_step(recipe, number, replace(recipe.steps[number], on=edit == "on"))
            elif edit == "insert":
                source = ["median_filter", "binary_fill_holes", "distance_transform"][place % 3]
                recipe, _ = inserted(
                    recipe, Step(source, {}, (f"step:{number}",), tag=f"new{np.random.default_rng(place).integers(9)}")
                )
            else:
                recipe = {"remove": removed, "up": moved_up, "down": moved_down}[edit](recipe, number)
        except RecipeError:
            continue
        recipe.check()
        runs = effective(recipe).recipe.check()
        for number, step in enumerate(runs.steps):
            assert all(n < number for n in step.reads())
