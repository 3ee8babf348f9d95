"""What fits the selected layer, over the whole registry, against what the engine really accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.axes.order import spatial_axes
from napari_lightbox.contract import Technique, registry
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.engine.bind import bind
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.finder_fit import Offer, fit

ROLES = {
    "image": frozenset({"image", "image_or_labels"}),
    "labels": frozenset({"labels", "image_or_labels", "seeds", "mask"}),
}
LAYERS = {
    "x": (40,),
    "yx": (24, 26),
    "zyx": (9, 20, 22),
    "tyx": (6, 20, 22),
    "tzyx": (3, 8, 20, 22),
    "yxc": (24, 26, 3),
    "cyx": (2, 24, 26),
}
PIXELS = [t for t in registry.find(kind="technique") if t.inputs[0].is_array and not t.inputs[0].role.many]


def volume(axes: str, lengths: dict[str, int], role: str) -> Volume:
    shape = tuple(lengths[a] for a in axes)
    rng = np.random.default_rng(3)
    data = rng.integers(0, 200, shape).astype(np.uint8) if role == "image" else rng.integers(0, 4, shape).astype(np.int32)
    return Volume(data, Geometry.of(axes, shape), role=role)  # type: ignore[arg-type]


def offer(value: Volume) -> Offer:
    return Offer(ROLES[value.role], value.axes, value.data.shape)


def inputs_for(technique: Technique, first: Volume) -> list[Volume | None]:
    """Return the first input and the most natural companion for every other one that is needed."""
    lengths = dict(zip(first.axes, first.data.shape, strict=True))
    inputs: list[Volume | None] = [first]
    for spec in technique.inputs[1:]:
        role = "labels" if spec.role.name in LABEL_ROLES else "image"
        axes = first.axes if spec.role.aligned else technique.over or spatial_axes(first.axes)
        if role == "labels" and technique.channels != "each":
            axes = axes.replace("c", "")
        inputs.append(None if spec.optional or not spec.is_array else volume(axes, lengths, role))
    return inputs


def refusal(call: Any) -> str | None:
    try:
        call()
    except LightboxError as error:
        return str(error)
    return None


@pytest.mark.parametrize("role", ["image", "labels"])
@pytest.mark.parametrize("axes", LAYERS)
def test_fit_agrees_with_the_engine(axes: str, role: str) -> None:
    if role == "labels" and axes.endswith("c"):
        pytest.skip("labels have no colour")
    first = volume(axes, dict(zip(axes, LAYERS[axes], strict=True)), role)
    wrong = []
    for technique in PIXELS:
        if technique.inputs[0].role.name not in ROLES[role] or technique.family.startswith("learned"):
            continue
        inputs = inputs_for(technique, first)
        verdict = fit(technique, offer(first), [offer(v) for v in inputs[1:] if v is not None])
        refused = refusal(lambda t=technique, i=inputs: bind(t, i, {}))
        if refused is None and verdict.state != "fits":
            refused = refusal(lambda t=technique, i=inputs: lb.apply(t.id, *i, compute=True))
            if refused is None and verdict.state == "unfit" and "colour" in verdict.reason:
                result = lb.apply(technique.id, *inputs, compute=True)
                refused = "does nothing" if np.array_equal(result.data, first.data) else None
        if (verdict.state == "fits") != (refused is None):
            wrong.append((technique.id, verdict, refused))
    assert not wrong


@pytest.mark.parametrize("technique", PIXELS, ids=lambda t: t.id)
def test_another_kind_of_layer_never_fits(technique: Technique) -> None:
    points = Offer(frozenset({"points", "seeds"}))
    verdict = fit(technique, points)
    assert verdict.state == "unfit"
    assert "layer" in verdict.reason or "mask" in verdict.reason or "torch" in verdict.reason


def test_reasons_name_what_is_missing() -> None:
    plane = Offer(ROLES["image"], "yx", (30, 40))
    seeds = Offer(ROLES["labels"], "yx", (30, 40))
    walker = registry.get("random_walker")
    assert fit(walker, plane).reason == "also needs seeds (Labels or Points)"
    assert fit(walker, plane, [Offer(ROLES["labels"], "yx", (30, 41))]).reason.endswith("of the same size")
    assert fit(walker, plane, [seeds]).state == "fits"
    assert fit(walker, plane, [Offer(frozenset({"points", "seeds"}))]).state == "fits"
    assert fit(registry.get("background_subtraction_mog2"), plane).reason == "needs a video: a layer with a time axis t"
    assert fit(registry.get("connected_components"), plane).reason == "works on a Labels layer"
    assert fit(registry.get("panorama_stitcher"), plane).reason == "also needs a second image"
    assert fit(registry.get("panorama_stitcher"), plane, [plane]).state == "fits"


def test_seeds_on_colour_pictures_have_no_colour_themselves() -> None:
    lengths = {"y": 24, "x": 26, "c": 3}
    walker, picture = registry.get("random_walker"), volume("yxc", lengths, "image")
    for axes in ("yxc", "yx"):
        seeds = volume(axes, lengths, "labels")
        accepted = refusal(lambda s=seeds: bind(walker, [picture, s], {})) is None
        assert (fit(walker, offer(picture), [offer(seeds)]).state == "fits") == accepted == (axes == "yx")


def test_everything_fits_while_nothing_is_selected() -> None:
    assert {fit(t, None).state for t in registry.find() if not t.family.startswith("learned")} == {"fits"}
