"""Provenance is a graph: whatever was done to whatever is written as a recipe and replays to the same bits."""

from __future__ import annotations

import json
from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_lightbox as lb
from napari_lightbox.contract import Recipe, registry
from napari_lightbox.contract.values import Points
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.provenance import history_of, steps_of
from napari_lightbox.engine.recipes import recipe_of, replay
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError, LightboxError, RecipeError
from napari_lightbox.testing.examples import blobs, seeds

# a registration takes seconds, a stitcher needs pictures that overlap
SLOW = {"intensity_based_registration", "panorama_stitcher"}


def volume(data: Any, name: str = "", role: str = "image", axes: str | None = None) -> lb.Volume:
    return lb.Volume(data, lb.Geometry.of(axes or "tzyx"[-data.ndim :], data.shape), role=role, name=name)


def picture(seed: int = 0, shape: tuple[int, ...] = (26, 30)) -> Any:
    return blobs(np.random.default_rng(seed), shape, np.uint8)


def main(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def again(result: lb.Volume, inputs: list[Any], **options: Any) -> Any:
    """Replay a result from its recipe, taken through JSON."""
    recipe = Recipe.from_json(recipe_of(result).to_json()).check()
    return next(iter(replay(recipe, inputs, **options).values()))


def same(one: lb.Volume, other: lb.Volume) -> None:
    a, b = np.asarray(one.data), np.asarray(other.data)
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)
    assert one.geometry == other.geometry
    assert one.role == other.role


def sources_of(recipe: Recipe, known: list[lb.Volume]) -> list[lb.Volume]:
    """The volumes that a recipe's inputs speak of, by name."""
    return [next(v for v in known if v.name == described.name) for described in recipe.inputs]


def chain(rng: np.random.Generator, length: int, known: list[lb.Volume]) -> lb.Volume:
    """Apply random techniques to random earlier values; what a technique refuses is tried no further."""
    techniques = [t for t in registry.find(kind="technique") if t.id not in SLOW]
    made: list[lb.Volume] = []
    for _ in range(60):
        if len(made) == length:
            break
        technique = techniques[rng.integers(len(techniques))]
        pool = [*known, *made, *made[-2:] * 6]  # late results are taken more often, so that graphs grow deep
        inputs = []
        for spec in technique.inputs:
            fitting = [v for v in pool if (v.role == "labels") == (spec.role.name in ("labels", "seeds", "mask"))]
            take = spec.is_array and fitting and (not spec.optional or rng.random() < 0.5)
            inputs.append(fitting[rng.integers(len(fitting))] if take else None)
        options = {"mask": known[2]} if technique.grid is None and rng.random() < 0.2 else {}
        try:
            result = lb.apply(technique.id, *inputs, **options)
            outputs = [o for o in (result if isinstance(result, tuple) else (result,)) if isinstance(o, lb.Volume)]
        except (LightboxError, ArithmeticError):
            continue
        made += [o for o in outputs if o.axes == "yx"][: 1 + int(rng.integers(2))]
    return made[-1] if made else main(lb.apply("invert_intensity", known[0]))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_random_graphs_replay_bit_for_bit(seed: int, length: int) -> None:
    image = picture(seed % 1000)
    known = [
        volume(image, "picture"),
        volume(image.astype(np.float32)[::-1] / 3, "other"),
        volume((image > 120).astype(np.int32), "objects", "labels"),
        volume(seeds(image), "seeds", "labels"),
    ]
    result = chain(np.random.default_rng(seed), length, known)
    recipe = recipe_of(result)
    assert len({json.dumps([s.technique, dict(s.parameters), s.inputs, dict(s.options)]) for s in recipe.steps}) == len(
        recipe.steps
    )
    same(again(result, sources_of(recipe, known)), result)


def test_made_seeds_and_mask_are_steps_and_sources_are_inputs() -> None:
    image = volume(picture(1), "slice")
    smooth = lb.apply("gaussian_blur", image, sigma=1.0)
    objects = lb.apply("threshold_otsu", smooth)[0]
    markers = lb.apply("connected_components", objects)
    result = lb.apply("marker_controlled_watershed", smooth, markers, objects)
    recipe = recipe_of(result)
    assert [s.technique for s in recipe.steps] == [
        "gaussian_blur",
        "threshold_otsu",
        "connected_components",
        "marker_controlled_watershed",
    ]
    assert recipe.steps[3].inputs == ("step:0", "step:2", "step:1")
    assert [i.name for i in recipe.inputs] == ["slice"]
    assert (recipe.inputs[0].axes, recipe.inputs[0].shape, recipe.inputs[0].dtype) == ("yx", (26, 30), "uint8")
    assert len(history_of(result)) == 4, "what the inputs share is kept once"
    other = volume(picture(7), "another")
    changed = again(result, [other])
    expected = lb.apply("gaussian_blur", other, sigma=1.0)
    mask = lb.apply("threshold_otsu", expected)[0]
    same(changed, lb.apply("marker_controlled_watershed", expected, lb.apply("connected_components", mask), mask))


def test_further_outputs_and_the_mask_of_the_engine_are_followed() -> None:
    image, limits = volume(picture(2), "slice"), volume((picture(3) > 100).astype(np.int32), "limits", "labels")
    split = lb.apply("split_touching_objects", image, keep_steps=True)
    result = lb.apply("gaussian_blur", split.distance, mask=limits, sigma=2.0)
    recipe = recipe_of(result)
    assert recipe.steps[1].inputs == ("step:0.distance",)
    assert recipe.steps[1].options["mask"] == "input:1"
    assert recipe_of(split.markers).result == "step:0.markers"
    same(again(result, [image, limits]), result)
    same(again(split.markers, [image]), split.markers)


def test_optional_inputs_left_out_keep_their_place() -> None:
    image, template = volume(picture(4), "image"), volume(picture(5), "template")
    mask = volume((picture(6) > 90).astype(np.int32), "template mask", "labels")
    result = lb.apply("histogram_matching", image, template, None, mask)
    assert recipe_of(result).steps[0].inputs == ("input", "input:1", None, "input:2")
    same(again(result, [image, template, mask]), result)


def test_a_transform_made_by_a_step_is_followed() -> None:
    fixed = volume(picture(8, (40, 44)).astype(np.float32), "fixed")
    moving = volume(np.roll(fixed.data, 2, axis=1), "moving")
    found = lb.apply("intensity_based_registration", fixed, moving)
    result = lb.apply("resample_to_reference", moving, fixed, found.transform)
    recipe = recipe_of(result)
    assert recipe.steps[1].inputs == ("input", "input:1", "step:0.transform")
    assert [i.name for i in recipe.inputs] == ["moving", "fixed"]
    same(again(result, [moving, fixed]), result)


def test_points_given_by_hand_are_an_input() -> None:
    image, marks = volume(picture(4), "image"), Points(np.array([[2.0, 3.0]]))
    result = lb.apply("flip", image, marks)
    recipe = recipe_of(result[0])
    assert recipe.inputs[1].role == "points"
    same(again(result[0], [image, marks]), result[0])


def test_a_stack_that_is_stitched_is_one_input() -> None:
    texture = np.random.default_rng(0).integers(0, 255, (200, 300)).astype(np.uint8)
    from scipy.ndimage import gaussian_filter

    texture = gaussian_filter(texture, 1.5)
    texture = ((texture.astype(float) - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    stack = volume(np.stack([texture[:, :200], texture[:, 100:]]), "tiles", axes="tyx")
    result = lb.apply("panorama_stitcher", stack)[0]
    recipe = recipe_of(result)
    assert recipe.steps[0].inputs == ("input",)
    assert recipe.inputs[0].shape == (2, 200, 200)
    same(again(result, [stack]), result)
    tiles = [volume(texture[:, :200].copy(), "left"), volume(texture[:, 100:].copy(), "right")]
    result = lb.apply("panorama_stitcher", tiles)[0]
    assert recipe_of(result).steps[0].inputs == (("input", "input:1"),)
    same(again(result, tiles), result)


def test_two_images_that_look_alike_stay_two_inputs() -> None:
    one, two = volume(picture(1)), volume(picture(2))
    result = lb.apply("histogram_matching", one, two)
    assert recipe_of(result).steps[0].inputs == ("input", "input:1")
    through_runner = execute(Request("histogram_matching", (one, two)), Control()).main
    assert recipe_of(through_runner).steps[0].inputs == ("input", "input:1")
    alike = execute(Request("histogram_matching", (one, volume(one.data.copy()))), Control()).main
    assert recipe_of(alike).steps[0].inputs == ("input", "input"), "equal pixels are one input"


def test_large_images_are_recognised_although_a_run_cuts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_lightbox.engine.local.LARGE", 1)
    image = volume(picture(1), "slice")
    smooth = execute(Request("gaussian_blur", (image,)), Control()).main
    result = execute(Request("psnr", (image, smooth)), Control())
    again_ = execute(Request("histogram_matching", (image, smooth)), Control()).main
    assert recipe_of(again_).steps[1].inputs == ("input", "step:0")
    assert result.provenance["inputs"][0]["identity"] == recipe_of(again_).inputs[0].identity


def test_labels_painted_on_since_are_a_source() -> None:
    image = volume(picture(1), "slice")
    made = execute(Request("threshold_otsu", (image,)), Control()).main
    untouched = execute(Request("connected_components", (made,)), Control()).main
    assert [s.technique for s in recipe_of(untouched).steps] == ["threshold_otsu", "connected_components"]
    painted = made.with_data(made.data.copy())
    painted.data[3:6, 3:6] = 1 - painted.data[3:6, 3:6]
    result = execute(Request("connected_components", (painted,)), Control()).main
    recipe = recipe_of(result)
    assert [s.technique for s in recipe.steps] == ["connected_components"], "painting is no step that could be run again"
    assert history_of(result)[-1]["inputs"][0]["edited"]["step"] == history_of(made)[-1]["id"]
    same(again(result, [painted]), result)


def test_lazy_inputs_stay_lazy_and_read_nothing() -> None:
    reads: list[int] = []

    def read(block: Any) -> Any:
        reads.append(1)
        return block

    stack = np.stack([picture(n) for n in range(5)])
    lazy = da.from_array(stack, chunks=(1, -1, -1)).map_blocks(read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    image = volume(lazy, "movie", axes="tyx")
    result = lb.apply("histogram_matching", lb.apply("gaussian_blur", image, sigma=1.5), image)
    recipe = recipe_of(result)
    assert recipe.inputs[0].lazy
    assert [i.name for i in recipe.inputs] == ["movie"]
    replayed = again(result, [image])
    assert isinstance(replayed.data, da.Array)
    reads.clear()
    smooth = again(lb.apply("gaussian_blur", image, sigma=1.5), [image])
    assert not reads, "a replay on lazy inputs must not compute"
    np.asarray(smooth.data[3])
    assert len(reads) <= 2
    same(replayed, result)


def test_automatic_parameters_replay_as_automatic_and_the_estimate_is_kept() -> None:
    image = volume(picture(1), "slice")
    result = execute(Request("threshold_otsu", (image,)), Control())
    (step,) = recipe_of(result.main).steps
    assert all(v is None for k, v in step.parameters.items() if registry.get("threshold_otsu").signature.by_name[k].optional)
    assert history_of(result.main)[-1]["values"] == {"threshold": result.outputs["threshold"]}
    tv = lb.apply("tv_chambolle", image)
    assert recipe_of(tv).steps[0].parameters["weight"] is None
    bright = volume(255 - image.data, "bright")
    same(again(tv, [bright]), lb.apply("tv_chambolle", bright))


OLD = [
    {
        "technique": "gaussian_blur",
        "version": "0.1.0",
        "parameters": {"sigma": 1.5},
        "over": "yx",
        "inputs": [{"input": "image", "name": "slice", "axes": "yx", "axes_guessed": False, "shape": [26, 30], "dtype": "uint8"}],
    },
    {
        "technique": "marker_controlled_watershed",
        "version": "0.1.0",
        "parameters": {"watershed_line": False},
        "over": "yx",
        "inputs": [
            {"input": "image", "name": "slice Gaussian blur", "axes": "yx", "shape": [26, 30], "dtype": "uint8"},
            {"input": "seeds", "name": "seeds", "axes": "yx", "shape": [26, 30], "dtype": "int32"},
        ],
    },
]


def test_a_linear_history_of_an_older_version_still_replays() -> None:
    image, markers = volume(picture(1), "slice"), volume(seeds(picture(1)), "seeds", "labels")
    expected = lb.apply("marker_controlled_watershed", lb.apply("gaussian_blur", image, sigma=1.5), markers, watershed_line=False)
    old = lb.Volume(expected.data, expected.geometry, {"provenance": OLD}, "labels", "old")
    assert [s.inputs for s in recipe_of(old).steps] == [("input",), ("step:0", "input:1")]
    same(again(old, [image, markers]), expected)
    newer = lb.apply("connected_components", old)
    assert [s.technique for s in recipe_of(newer).steps] == [*(e["technique"] for e in OLD), "connected_components"]
    json.dumps(newer.metadata["provenance"])


@pytest.mark.parametrize("junk", [{"id": 3}, "text", [3], [{"technique": 1, "parameters": {}, "inputs": []}], 7, None])
def test_metadata_that_are_no_history_are_left_alone(junk: Any) -> None:
    image = lb.Volume(picture(1), lb.Geometry.of("yx", (26, 30)), {"provenance": junk})
    assert steps_of(image.metadata) == []
    assert len(history_of(lb.apply("invert_intensity", image))) == 1
    with pytest.raises(RecipeError, match="carries no provenance"):
        recipe_of(image)


def test_a_file_is_known_by_its_path_and_the_history_survives_it(tmp_path: Any) -> None:
    lb.write(tmp_path / "in.nii.gz", volume(picture(1), "slice"))
    (image,) = lb.read(tmp_path / "in.nii.gz")
    lb.write(tmp_path / "out.nii.gz", lb.apply("invert_intensity", lb.apply("gaussian_blur", image)))
    (stored,) = lb.read(tmp_path / "out.nii.gz")
    recipe = recipe_of(stored)
    assert recipe.inputs[0].path == str(tmp_path / "in.nii.gz")
    assert [s.technique for s in recipe.steps] == ["gaussian_blur", "invert_intensity"]
    same(again(stored, [image]), stored)


def test_a_replay_is_cancelled_between_and_inside_steps() -> None:
    control = Control()
    heard: list[float] = []

    def report(fraction: float, message: str) -> None:
        heard.append(fraction)
        if fraction >= 0.5:
            control.cancel()

    control._report = report
    image = volume(picture(1))
    result = lb.apply("invert_intensity", lb.apply("gaussian_blur", image))
    with pytest.raises(CancelledError):
        replay(recipe_of(result), [image], control=control)
    assert heard == sorted(heard)


def test_a_replay_without_its_inputs_says_so() -> None:
    result = lb.apply("histogram_matching", volume(picture(1)), volume(picture(2)))
    with pytest.raises(RecipeError, match="needs input 2"):
        replay(recipe_of(result), [volume(picture(1))])
