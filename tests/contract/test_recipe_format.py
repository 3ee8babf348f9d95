"""Recipe files: what is written is read again, older formats too; anything else is refused in words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.contract import Recipe, RecipeInput, Step
from napari_lightbox.contract.recipe_refs import parse, written
from napari_lightbox.errors import LightboxError, RecipeError

FULL = Recipe(
    (
        Step("gaussian_blur", {"sigma": (1.0, 2.0)}, ("input",), {"over": "yx", "mask": "input:1"}),
        Step("threshold_otsu", {}, ("step:0",), on=False),
        Step("histogram_matching", {}, ("step:0", "input:2", None, "step:1.labels")),
        Step("panorama_stitcher", {}, (("step:2", "input"),)),
    ),
    "0.1.0",
    "all there is",
    (RecipeInput("MRI", "image", "zyx", (3, 4, 5), "uint16", "/data/mri.nii.gz", "content:ab"), RecipeInput(lazy=True)),
    "step:2",
)


def test_everything_survives_json() -> None:
    again = Recipe.from_json(FULL.to_json())
    assert json.loads(again.to_json()) == json.loads(FULL.to_json())
    assert [s.inputs for s in again.steps] == [s.inputs for s in FULL.steps]
    assert [s.on for s in again.steps] == [True, False, True, True]
    assert again.inputs == FULL.inputs
    assert again.result == "step:2"
    again.check()


def test_objects_of_a_session_are_not_saved() -> None:
    recipe = Recipe((Step("invert_intensity"),), inputs=(RecipeInput("a", identity="object:1-2"),))
    assert "object:" not in recipe.to_json()


def test_format_one_still_loads() -> None:
    text = {
        "lightbox_recipe": 1,
        "version": "0.1.0",
        "name": "old",
        "steps": [
            {"technique": "gaussian_blur", "parameters": {"sigma": 2.0}, "inputs": ["input"], "options": {"over": None}},
            {"technique": "threshold_otsu", "parameters": {}, "inputs": ["step:0"], "options": {}},
            {"technique": "connected_components", "inputs": ["step:1.labels"]},
        ],
    }
    recipe = Recipe.from_json(json.dumps(text)).check()
    assert [s.inputs for s in recipe.steps] == [("input",), ("step:0",), ("step:1.labels",)]
    assert recipe.steps[0].options == {}
    assert recipe.inputs == ()
    assert json.loads(recipe.to_json())["lightbox_recipe"] == 2


def test_a_newer_recipe_names_both_versions() -> None:
    with pytest.raises(RecipeError, match=r"format 3 \(written by napari-lightbox 9\.9\); this is napari-lightbox \d.*up to 2"):
        Recipe.from_json('{"lightbox_recipe": 3, "version": "9.9", "steps": []}')


@pytest.mark.parametrize("found", [0, -1, True, "2", 1.5, None, [1]])
def test_no_format_is_guessed(found: Any) -> None:
    with pytest.raises(RecipeError, match="has format"):
        Recipe.from_json(json.dumps({"lightbox_recipe": found, "steps": []}))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"technique": "invert_intensity", "inputs": ["step:0"]}, "does not exist yet"),
        ({"technique": "invert_intensity", "inputs": ["elsewhere"]}, "does not exist yet"),
        ({"technique": "invert_intensity", "inputs": []}, "gives no image"),
        ({"technique": "invert_intensity", "inputs": ["input", "input"]}, "takes 1"),
        ({"technique": "invert_intensity", "inputs": [["input"]]}, "gives a list"),
        ({"technique": "invert_intensity", "options": {"mask": "step:4"}}, "does not exist yet"),
        ({"technique": "invert_intensity", "options": {"memory": "x"}}, "unknown options"),
        ({"technique": "marker_controlled_watershed"}, "gives no seeds"),
        ({"technique": "invert_intensity", "inputs": "input"}, "malformed"),
        ({"technique": "invert_intensity", "inputs": [3]}, "malformed"),
        ({"technique": "invert_intensity", "on": "no"}, "malformed"),
        ({"technique": ["invert_intensity"]}, "malformed"),
        ({"technique": "invert_intensity", "parameters": 3}, "malformed"),
        ({"technique": "invert_intensity", "parameters": {"nothing": 1}}, "not a parameter"),
    ],
)
def test_a_bad_step_is_refused(step: Any, words: str) -> None:
    with pytest.raises(LightboxError, match=words):
        Recipe.from_json(json.dumps({"lightbox_recipe": 2, "steps": [step]})).check()


def test_an_output_that_a_step_does_not_give_is_refused() -> None:
    two = Recipe((Step("split_touching_objects", {"keep_steps": False}), Step("gaussian_blur", {}, ("step:0.distance",))))
    with pytest.raises(RecipeError, match=r"gives labels, measures, number"):
        two.check()
    with pytest.raises(RecipeError, match="the result reads 'step:7'"):
        Recipe((Step("invert_intensity"),), result="step:7").check()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["technique", "inputs", "x"]), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {"lightbox_recipe": st.just(2)},
        optional=dict.fromkeys(("steps", "inputs", "name", "version", "result"), _json),
    )
)
def test_whatever_stands_in_a_file_is_read_or_refused(data: Any) -> None:
    with suppress(LightboxError):
        Recipe.from_json(json.dumps(data)).check()


@given(st.text(max_size=12) | st.from_regex(r"(input|step|value):?[0-9]*\.?\w*", fullmatch=True))
def test_references_are_read_as_they_are_written(text: str) -> None:
    try:
        ref = parse(text)
    except RecipeError:
        return
    assert parse(written(ref)) == ref
