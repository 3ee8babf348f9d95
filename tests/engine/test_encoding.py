"""Every kind of input and output survives JSON plus arrays."""

from __future__ import annotations

import json
from math import inf, isnan, nan

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Shapes, Surface, Table, TrainedModel, Transform, Vectors
from napari_lightbox.engine.encoding import decode, encode, plain, unplain
from napari_lightbox.errors import RecipeError, WireError
from napari_lightbox.testing.compare import assert_same


def there_and_back(value):
    arrays: list = []

    def put(array) -> str:
        arrays.append(np.array(array))
        return str(len(arrays) - 1)

    text = json.dumps(encode(value, put), allow_nan=False)
    return decode(json.loads(text), lambda name: arrays[int(name)]), arrays


TABLE = Table({"label": np.array([1, 2]), "name": np.array(["a", "bä"]), "size": np.array([nan, 2.0])}, {"size": "mm"})


def test_tables_keep_text_and_units() -> None:
    table, arrays = there_and_back(TABLE)
    assert dict(table.units) == {"size": "mm"}
    assert table["name"].tolist() == ["a", "bä"]
    assert all(a.dtype.kind in "if" for a in arrays)
    assert_same(table["size"], TABLE["size"])


def test_shapes_travel_as_one_array() -> None:
    shapes = Shapes([np.eye(2) + i for i in range(3)] + [np.ones((5, 2))], ["path"] * 4, None)
    again, arrays = there_and_back(shapes)
    assert len(arrays) == 1
    assert_same(again, shapes)
    assert list(again.kinds) == ["path"] * 4
    empty, _ = there_and_back(Shapes([], [], None))
    assert list(empty.data) == []
    mixed, _ = there_and_back(Shapes([np.eye(2), np.eye(3)], ["path", "path"], None))
    assert [d.shape for d in mixed.data] == [(2, 2), (3, 3)]


def test_shapes_that_lie_are_refused() -> None:
    message = {"kind": "shapes", "data": "0", "counts": [2, 2], "kinds": [], "features": None}
    with pytest.raises(WireError):
        decode(message, lambda _: np.ones((3, 2)))


def test_meshes_vectors_models_and_transforms() -> None:
    surface = Surface(np.random.default_rng(0).random((4, 3)), np.array([[0, 1, 2]]), None)
    again, _ = there_and_back(surface)
    assert_same(again.vertices, surface.vertices)
    assert_same(again.faces, surface.faces)
    assert again.values is None
    coloured, _ = there_and_back(Surface(surface.vertices, surface.faces, np.arange(4.0)))
    assert_same(coloured.values, np.arange(4.0))
    assert_same(there_and_back(Vectors(np.ones((2, 2, 3))))[0].data, np.ones((2, 2, 3)))
    model = TrainedModel({"name": "m", "classes": [1, 2]}, {"w": np.ones(3, np.float32)})
    assert_same(there_and_back(model)[0], model)
    transform = Transform(np.eye(4), np.ones((3, 2, 2, 2), np.float32), Geometry.of("zyx", (2, 2, 2), 2.0))
    moved, _ = there_and_back(transform)
    assert_same(moved.field, transform.field)
    assert moved.grid == transform.grid
    assert there_and_back(Points(np.ones((2, 3)), TABLE))[0].features["name"].tolist() == ["a", "bä"]


def test_volumes_keep_where_they_come_from() -> None:
    metadata = {"provenance": [{"technique": "x", "values": {"psnr": inf}}], "source": "a.tif", "header": object()}
    image = Volume(np.ones((2, 3)), Geometry.of("yx", (2, 3), 0.5), metadata, "labels", "brain")
    again, _ = there_and_back(image)
    assert (again.role, again.name, again.geometry) == ("labels", "brain", image.geometry)
    assert again.metadata == {key: metadata[key] for key in ("provenance", "source")}


def test_numbers_that_json_lacks() -> None:
    values, _ = there_and_back([1.5, inf, -inf, nan, np.float64(2.5), True, "text", None])
    assert values[:3] == [1.5, inf, -inf]
    assert isnan(values[3])
    assert values[4:] == [2.5, True, "text", None]
    parameters = {"a": (1.0, inf), "b": np.float32(0.5), "c": np.int64(3), "d": np.array([1, 2]), "e": {"kind": "x", "value": 1}}
    again = unplain(json.loads(json.dumps(plain(parameters), allow_nan=False)))
    assert again == {"a": [1.0, inf], "b": 0.5, "c": 3, "d": [1, 2], "e": {"kind": "x", "value": 1}}


def test_what_no_technique_takes() -> None:
    with pytest.raises(RecipeError, match="object"):
        there_and_back(object())
