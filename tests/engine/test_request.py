"""Requests and recipes survive JSON plus array references and give the same result."""

from __future__ import annotations

import json

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.contract import Recipe, Step
from napari_lightbox.contract.values import Points, Table, Transform
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.recipes import recipe_of, replay
from napari_lightbox.engine.request import Request, decode, encode
from napari_lightbox.errors import RecipeError


class Store(dict):
    def put(self, array) -> str:
        key = f"array-{len(self)}"
        self[key] = np.asarray(array)
        return key


def volume(data, **details) -> lb.Volume:
    return lb.Volume(data, lb.Geometry.of("zyx"[-data.ndim :], data.shape, **details), name="brain")


def test_a_request_survives_json_and_gives_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 900, (5, 30, 31)).astype(np.uint16), rng.random((5, 30, 31)) < 0.5
    request = Request(
        "gaussian_blur",
        (volume(image, spacing=(2, 1, 1)),),
        {"sigma": (1.0, 2.0, 3.0)},
        mask=volume(mask),
        over="zyx",
        region=None,
    )
    store = Store()
    text = json.dumps(request.to_json(store.put))
    again = Request.from_json(json.loads(text), store.__getitem__)
    expected, actual = execute(request, Control()), execute(again, Control())
    np.testing.assert_array_equal(actual.main.data, expected.main.data)
    assert actual.main.geometry == expected.main.geometry


def test_every_kind_of_value_survives() -> None:
    store = Store()
    table = Table({"label": np.array([1, 2]), "name": np.array(["a", "b"])}, {"label": "px"})
    values = [table, Points(np.ones((2, 3)), table), Transform(np.eye(4)), 3.5, None, "x", np.arange(4)]
    again = decode(json.loads(json.dumps(encode(values, store.put))), store.__getitem__)
    assert again[0].units == {"label": "px"}
    assert again[1].features["name"].tolist() == ["a", "b"]
    np.testing.assert_array_equal(again[2].matrix, np.eye(4))
    np.testing.assert_array_equal(again[6], np.arange(4))


def test_a_chain_replays_from_its_provenance() -> None:
    image = volume(np.random.default_rng(4).integers(0, 255, (4, 40, 40)).astype(np.uint8))
    result = lb.apply("invert_intensity", lb.apply("gaussian_blur", image, sigma=2.0, over="yx"))
    recipe = Recipe.from_json(recipe_of(result).to_json())
    assert [s.technique for s in recipe.steps] == ["gaussian_blur", "invert_intensity"]
    again = next(iter(replay(recipe, [image]).values()))
    np.testing.assert_array_equal(again.data, result.data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "lightbox_recipe"),
        ('{"lightbox_recipe": 99, "steps": []}', "format 99"),
        ('{"lightbox_recipe": 1, "steps": [3]}', "malformed"),
    ],
)
def test_broken_recipes_are_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        Recipe.from_json(text)


def test_a_step_cannot_read_what_is_not_there_yet() -> None:
    with pytest.raises(RecipeError, match="step:3"):
        Recipe((Step("invert_intensity", inputs=("step:3",)),)).check()
