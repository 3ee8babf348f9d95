from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.cli.inputs import read_inputs
from napari_lightbox.cli.outputs import write_outputs
from napari_lightbox.contract.values import Points, Shapes, Table, Transform, Vectors
from napari_lightbox.errors import InputError
from napari_lightbox.io.result_files import as_table, split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.nii.gz", ("a", ".nii.gz")),
        ("a.b.tif", ("a.b", ".tif")),
        ("a.OME.TIFF", ("a", ".OME.TIFF")),
        ("series", ("series", "")),
    ],
)
def test_endings_of_two_parts_stay_together(name, parts):
    assert split_name(Path("folder") / name) == parts


def test_every_kind_finds_its_file(tmp_path):
    volume = Volume(np.zeros((4, 5), np.uint8), Geometry.of("yx", (4, 5)))
    outputs = {
        "result": volume,
        "absent": None,
        "table": Table({"label": np.array([1, 2]), "area": np.array([3.5, 4.0])}, {"area": "mm^2"}),
        "points": Points(np.array([[1.0, 2.0]])),
        "level": 12.5,
        "shift": Transform(np.eye(3)),
    }
    files = write_outputs(tmp_path / "out.tif", outputs)
    assert [f.name for f in files] == ["out.tif", "out-table.csv", "out-points.csv", "out-level.json", "out-shift.json"]
    assert all(f.exists() for f in files)
    (table,) = lb.read(tmp_path / "out-table.csv")
    np.testing.assert_array_equal(table["area"], [3.5, 4.0])
    assert json.loads((tmp_path / "out-level.json").read_text()) == 12.5
    assert json.loads((tmp_path / "out-shift.json").read_text())["matrix"] == np.eye(3).tolist()


def test_a_main_table_takes_the_name(tmp_path):
    (file,) = write_outputs(tmp_path / "out.nii.gz", {"result": Table({"label": np.array([1])})})
    assert file.name == "out.csv"


def test_points_come_back(tmp_path):
    from dataclasses import replace

    from napari_lightbox.contract import registry
    from napari_lightbox.contract.roles import Role

    points = Points(np.array([[1.0, 2.5], [3.0, 4.0]]), Table({"strength": np.array([0.5, 0.25])}))
    (file,) = write_outputs(tmp_path / "points.csv", {"result": points})
    spec = replace(registry.get("gaussian_blur").inputs[0], role=Role("points", aligned=False))

    class WantsPoints:
        id = "wants_points"
        inputs = (spec,)

    (found,) = read_inputs(WantsPoints(), [str(file)], None, None)
    np.testing.assert_array_equal(found.data, points.data)
    np.testing.assert_array_equal(found.features["strength"], points.features["strength"])


def test_shapes_and_vectors_are_one_row_each():
    square = np.array([[0, 0], [0, 4], [4, 4], [4, 0]], float)
    table = as_table(Shapes([square, square[:3]], ["rectangle", "polygon"]))
    assert table["index"].tolist() == [0] * 4 + [1] * 3
    assert table["vertex-index"].tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert table["axis-1"].tolist() == [0, 4, 4, 0, 0, 4, 4]
    assert list(as_table(Vectors(np.zeros((5, 2, 3))))) == ["axis-0", "axis-1", "axis-2", "step-0", "step-1", "step-2"]
    assert len(as_table(Shapes([], []))) == 0


def test_what_has_no_file_says_so(tmp_path):
    with pytest.raises(InputError, match="Python or napari"):
        write_outputs(tmp_path / "out.json", {"result": object()})
    assert list(tmp_path.iterdir()) == []
