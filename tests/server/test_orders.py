"""What a client of this version sends passes the checks unchanged, whatever kinds of values are in it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pydantic import ValidationError

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Shapes, Surface, Table, TrainedModel, Transform, Vectors
from napari_lightbox.engine.request import Request
from napari_lightbox.server.orders import parts_of
from napari_lightbox.server.schemas import JobOrder
from napari_lightbox.server.values import ArrayName

DATA = np.zeros((4, 5), np.float32)
GEOMETRY = Geometry.of("yx", DATA.shape, (0.5, 2))
TABLE = Table({"name": np.array(["a", "b"]), "kind": np.array([1.0, 2.0])}, {"kind": "px"})
INPUTS = {
    "nothing": None,
    "number": 3,
    "fraction": 2.5,
    "infinity": math.inf,
    "yes": True,
    "text": "a model",
    "array": DATA,
    "volume": Volume(DATA, GEOMETRY, {"provenance": [{"technique": "x", "parameters": {"level": math.nan}}]}, "labels", "Köpfe"),
    "table": TABLE,
    "points": Points(np.zeros((3, 2)), TABLE),
    "shapes": Shapes([np.zeros((3, 2)), np.zeros((4, 2))], ["polygon", "path"]),
    "mixed shapes": Shapes([np.zeros((3, 2)), np.zeros((4, 3))], ["polygon", "path"], TABLE),
    "no shapes": Shapes([], []),
    "vectors": Vectors(np.zeros((3, 2, 2))),
    "surface": Surface(np.zeros((3, 3)), np.zeros((1, 3), np.int64)),
    "transform": Transform(np.eye(3), np.zeros((2, 4, 5), np.float32), GEOMETRY),
    "model": TrainedModel({"task": "x", "levels": [1, 2]}, {"weights": DATA}),
    "several": [Volume(DATA, GEOMETRY), 1, "x"],
}


def put_into(names):
    def put(array):
        names.append(f"source:{len(names):032x}")
        return names[-1]

    return put


@pytest.mark.parametrize("value", INPUTS.values(), ids=INPUTS)
def test_every_kind_of_input_passes_unchanged(value):
    names = []
    mask = Volume(DATA, GEOMETRY, {}, "labels")
    region = (slice(0, 3), slice(None, None))
    parameters = {"level": -math.inf, "sizes": (1, 2.5), "deep": {"a": [None, "b"]}}
    request = Request("some_technique", (value,), parameters, mask, "yx", region, True, False).to_json(put_into(names))
    sent = json.loads(json.dumps({"request": request, "first": [[0, 2], [1, 3]], "priority": 0, "key": "k-1"}, allow_nan=False))
    order = JobOrder.model_validate(sent)
    assert order.body() == sent
    assert json.loads(json.dumps(order.body())) == sent
    assert sorted(parts_of(order.request, ArrayName)) == sorted(names)


def test_what_is_left_out_is_filled_in():
    body = JobOrder.model_validate({"request": {"technique": "x", "inputs": [], "parameters": {}}}).body()
    rest = {"mask": None, "over": None, "region": None, "preview": False, "lazy": True}
    assert body == {"request": {"technique": "x", "inputs": [], "parameters": {}} | rest}


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "array"},
        {"kind": "array", "data": 5},
        {"kind": "array", "data": "source:x", "more": 1},
        {"kind": "array", "data": "source:../x"},
        {"kind": "array", "data": "source:x\n"},
        {"kind": "volume", "data": "source:x"},
        {"kind": "list", "items": [{"kind": "list", "items": [{"kind": "?"}]}]},
        {"kind": "number", "value": "1e5"},
        {"kind": "table", "columns": {"a": {"texts": [1]}}, "units": {}},
        {"kind": "shapes", "data": "source:x", "counts": [-1], "kinds": [], "features": None},
        {},
        [1],
        "x" * 5000,
    ],
)
def test_what_no_client_sends_is_refused(value):
    with pytest.raises(ValidationError):
        JobOrder.model_validate({"request": {"technique": "x", "inputs": [value], "parameters": {}}})
