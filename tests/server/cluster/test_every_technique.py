"""Every technique gives on a cluster what `lb.apply` gives in this process."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.technique_hints import HINTS

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine import schedule
from napari_lightbox.engine.request import Request
from napari_lightbox.server.cluster import DistributedRunner
from napari_lightbox.testing import Example, Hint, make_example
from napari_lightbox.testing.compare import as_outputs, assert_same
from napari_lightbox.testing.technique_checks import chunkings


def example_of(name: str) -> Example:
    hint = HINTS.get(name, Hint())
    return make_example(registry.get(name), 1, parameters=hint.parameters, maker=hint.maker, colour=hint.colour)


def volumes(example: Example, lazy: bool) -> list[Any]:
    """Inputs on the grid of the first one as Volumes, in chunks or not."""
    first = example.inputs[0]
    if isinstance(first, list):
        return [[volume(array, example, lazy) for array in first]]
    return [volume(v, example, lazy) if getattr(v, "shape", None) == first.shape else v for v in example.inputs]


def volume(array: np.ndarray, example: Example, lazy: bool) -> Volume:
    data = da.from_array(array, chunks=chunkings(array.shape)[0]) if lazy else array
    return Volume(data, Geometry.of(example.axes, array.shape, example.spacing))


@pytest.mark.parametrize("name", [t.id for t in registry.find()])
def test_the_same_on_a_cluster(runner: DistributedRunner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("computed in the process that asked")

    example = example_of(name)
    expected = lb.apply(name, *volumes(example, lazy=False), over=example.over, **example.parameters)
    monkeypatch.setattr(schedule.Threads, "get", forbidden)
    request = Request(name, tuple(volumes(example, lazy=True)), example.parameters, over=example.over, lazy=False)
    outcome = runner.submit(request).result(120)
    found = as_outputs(tuple(outcome.outputs.values()))
    for spec, actual, value in zip(registry.get(name).outputs, found, as_outputs(expected), strict=True):
        assert_same(actual, value, spec.name)
