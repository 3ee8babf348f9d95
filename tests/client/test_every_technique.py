"""Every technique gives on the server what it gives here: arrays, tables, points, shapes, transforms, models and numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.client.serving import TOKEN
from tests.technique_hints import HINTS

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import Collection, Technique, registry
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.contract.values import Points, Shapes, Table
from napari_lightbox.engine.request import Request
from napari_lightbox.testing.compare import as_outputs, assert_same
from napari_lightbox.testing.examples import Example
from napari_lightbox.testing.technique_suite import TechniqueSuite


class Examples(TechniqueSuite):
    __test__ = False
    hints = HINTS


@pytest.fixture(scope="module")
def shared(server):
    with lb.connect(server.url, TOKEN, patience=30) as runner:
        yield runner


@pytest.mark.parametrize("technique", registry.find(), ids=lambda t: t.id)
def test_the_same_there_as_here(shared, technique: Technique) -> None:
    example = Examples().example(technique)
    inputs = _volumes(technique, example)
    expected = as_outputs(lb.apply(technique, *inputs, over=example.over, **example.parameters))
    outcome = shared.submit(Request(technique.id, inputs, example.parameters, over=example.over)).result(120)
    assert list(outcome.outputs) == [spec.name for spec in technique.outputs]
    for (name, actual), wanted in zip(outcome.outputs.items(), expected, strict=True):
        assert_same(_values(actual), wanted, name)
        _assert_same_words(actual, wanted)


def test_values_of_all_kinds_come_back_from_richer_runs(shared) -> None:
    """Parameters that bring out what the small examples leave out: text and units in tables, circles, anchors, models."""
    labels = np.zeros((30, 32), np.int32)
    labels[3:9, 4:12], labels[15:25, 14:30] = 1, 2
    image = _volume(labels, "labels")
    for technique, parameters in [
        ("region_properties", {"boxes": True, "perimeter": True, "feret": True}),
        ("find_contours", {"retrieval": "external", "circles": True}),
    ]:
        expected = as_outputs(lb.apply(technique, image, **parameters))
        outcome = shared.submit(Request(technique, (image,), parameters)).result(60)
        for (name, actual), wanted in zip(outcome.outputs.items(), expected, strict=True):
            assert_same(_values(actual), wanted, name)
            _assert_same_words(actual, wanted)


def _volumes(technique: Technique, example: Example) -> tuple[Any, ...]:
    """Return the inputs as Volumes, placed in the world."""
    if isinstance(technique.locality, Collection):
        return ([_volume(array, "image", example) for array in example.inputs[0]],)
    roles = [spec.role.name for spec in technique.inputs]
    return tuple(
        _volume(value, "labels" if role in LABEL_ROLES else "image", example) if isinstance(value, np.ndarray) else value
        for value, role in zip(example.inputs, roles, strict=False)
    )


def _volume(array: Any, role: Any, example: Example | None = None) -> Volume:
    axes = "zyx"[-array.ndim :] if example is None else example.axes
    spacing = None if example is None else example.spacing
    return Volume(array, Geometry.of(axes, array.shape, spacing), {}, role, "example")


def _values(output: Any) -> Any:
    return np.asarray(output.data) if isinstance(output, Volume) else output


def _assert_same_words(actual: Any, wanted: Any) -> None:
    """Compare what `assert_same` does not look at."""
    if isinstance(wanted, Table):
        assert dict(actual.units) == dict(wanted.units)
    elif isinstance(wanted, (Points, Shapes)):
        assert (actual.features is None) == (wanted.features is None)
        if wanted.features is not None:
            assert_same(actual.features, wanted.features)
        if isinstance(wanted, Shapes):
            assert list(actual.kinds) == list(wanted.kinds)
    elif dataclasses.is_dataclass(wanted):
        assert type(actual) is type(wanted)
