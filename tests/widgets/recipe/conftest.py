"""A chain of results in a viewer, the Recipe dock on its end, and what the chain must give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import process_until

import napari_lightbox as lb
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.testing.examples import blobs

IMAGE = blobs(np.random.default_rng(0), (5, 36, 40), np.uint8)


@pytest.fixture
def made(viewer: Any) -> Callable[..., Any]:
    """Run a technique on layers as its dock does, and return the layer of the main output."""
    from napari_lightbox.widgets.layers import suggest_axes, volume_of
    from napari_lightbox.widgets.results import Origin, show_outcome

    def run(technique: str, *layers: Any, name: str, **parameters: Any) -> Any:
        request = Request(technique, tuple(None if la is None else volume_of(la) for la in layers), parameters)
        origin = Origin(layers[0], suggest_axes(layers[0])[0])
        shown, _, _ = show_outcome(viewer, lb.technique(technique), execute(request, Control()), origin, (0, 255))
        shown[0].name = name
        return shown[0]

    return run


@pytest.fixture
def chain(viewer: Any, made: Callable[..., Any]) -> dict[str, Any]:
    """Image, blur, objects, parts, cells (from blur, parts and objects)."""
    layers = {"image": viewer.add_image(IMAGE.copy(), name="image", axis_labels=tuple("zyx"), scale=(2, 1, 1), units=("mm",) * 3)}
    layers["blur"] = made("gaussian_blur", layers["image"], name="blur", sigma=1.0)
    layers["objects"] = made("threshold_otsu", layers["blur"], name="objects")
    layers["parts"] = made("connected_components", layers["objects"], name="parts")
    layers["cells"] = made("marker_controlled_watershed", layers["blur"], layers["parts"], layers["objects"], name="cells")
    viewer.layers.selection = {layers["cells"]}
    return layers


@pytest.fixture
def open_recipe(viewer: Any) -> Iterator[Callable[[], Any]]:
    """Open the dock."""
    from napari_lightbox.widgets.annotate.session import session_of
    from napari_lightbox.widgets.recipe_dock import RecipeDock

    def opened() -> Any:
        dock = RecipeDock(viewer)
        viewer.window.add_dock_widget(dock, name="Recipe")
        settle(dock)
        return dock

    yield opened
    session_of(viewer).history.clear()


@pytest.fixture
def dock(chain: dict[str, Any], open_recipe: Callable[[], Any]) -> Any:
    """The dock on `cells`."""
    return open_recipe()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The techniques that are run from now on."""
    from napari_lightbox.widgets.runners import shared_runner

    ids: list[str] = []
    submit = shared_runner().submit

    def noted(request: Request) -> Any:
        ids.append(request.technique)
        return submit(request)

    monkeypatch.setattr(shared_runner(), "submit", noted)
    return ids


def settle(dock: Any) -> None:
    process_until(lambda: not dock.busy)


def choose(dock: Any, title: str) -> None:
    dock.steps.choose(next(row.key for row in dock.steps.rows.rows if row.title == title))


def change(dock: Any, title: str, **parameters: Any) -> None:
    """Enter parameters into the form of a step and wait for what follows."""
    choose(dock, title)
    dock.steps.panel.form.set_values(parameters)
    settle(dock)


def key(dock: Any, name: str, modifier: str = "NoModifier") -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.keyClick(dock.steps.list, getattr(Qt.Key, f"Key_{name}"), getattr(Qt.KeyboardModifier, modifier))
    settle(dock)


def expected(image: Any = IMAGE, sigma: float = 1.0, connectivity: int = 1) -> dict[str, Any]:
    """What the chain gives, step by step with `lb.apply`."""
    source = lb.Volume(image, lb.Geometry.of("zyx", image.shape, (2, 1, 1)))
    blur = lb.apply("gaussian_blur", source, sigma=sigma)
    objects = lb.apply("threshold_otsu", blur).labels
    parts = lb.apply("connected_components", objects, connectivity=connectivity)
    cells = lb.apply("marker_controlled_watershed", blur, parts, objects)
    return {name: v.data for name, v in {"blur": blur, "objects": objects, "parts": parts, "cells": cells}.items()}


def shows(chain: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, data in wanted.items():
        np.testing.assert_array_equal(np.asarray(chain[name].data), data, err_msg=name)
