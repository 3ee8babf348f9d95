"""Before a recipe runs again: find inputs that have changed and results that were painted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Labels, Layer

from napari_lightbox.axes import Volume
from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.content import content_hash
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.origins import comparable, with_identity
from napari_lightbox.engine.provenance import steps_of
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.recipe_state import RecipeState


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Parameters
    ----------
    identities
        What the layers behind the inputs hold now, where that can be told.
    changed
        Numbers of the inputs that are not what the recipe was recorded from.
    edited
        Layers that no longer show what the recipe gave.
    """

    identities: Mapping[int, str]
    changed: frozenset[int]
    edited: tuple[Layer, ...]


def check(state: RecipeState) -> BackgroundJob:
    """Return a job, not yet started, whose main output are `Findings`; pixels are read in its thread."""
    volumes: dict[int, Volume] = {}
    for number in range(state.recipe.input_count):
        try:
            value = state.value(number)
        except LightboxError:
            continue
        if isinstance(value, Volume):
            volumes[number] = value
    expected = {n: state.recipe.described(n) for n in volumes}
    made = [(layer, layer.data, content) for layer in state.layers() if (content := _made_content(layer))]

    def work(control: Control) -> dict[str, Any]:
        now, changed = {}, set()
        for number, volume in volumes.items():
            control.report(0.0, f"looking whether {volume.name} has changed")
            described = expected[number]
            now[number] = with_identity(volume, control)
            if comparable(now[number], described.identity):
                differs = now[number] != described.identity
            else:
                known = (described.shape or volume.shape, described.dtype or str(volume.dtype))
                differs = known != (tuple(volume.shape), str(volume.dtype))
            if differs:
                changed.add(number)
        edited = tuple(layer for layer, data, content in made if content_hash(data, check=control.check) != content)
        return {"findings": Findings(now, frozenset(changed), edited)}

    return BackgroundJob(work, "check")


def _made_content(layer: Layer) -> str:
    """Return what a result in memory held when it was made, empty where that is not known."""
    if not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
        return ""
    last = steps_of(layer.metadata)[-1:]
    return str(last[0].get("content", "")) if last else ""
