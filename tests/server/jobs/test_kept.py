"""Small values in files come back as they were, without pickle."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lightbox.contract.values import Points, Table
from napari_lightbox.errors import ServerError
from napari_lightbox.server.jobs.kept import read_state, read_values, write_state, write_values
from napari_lightbox.server.jobs.tasks import keep_array, read_kept
from napari_lightbox.testing.compare import assert_same


def test_states_of_sequences(tmp_path) -> None:
    inner = {
        "modes": np.random.default_rng(0).random((3, 4)).astype(np.float32),
        "frames": np.array(7),
        "seen": (1, [True, None]),
    }
    state = {(): inner, (0, 2): {"modes": np.zeros((0, 3), ">u2"), "gain": np.float32(0.1)}}
    write_state(tmp_path / "state.npz", state)
    again = read_state(tmp_path / "state.npz")
    assert list(again) == [(), (0, 2)]
    np.testing.assert_array_equal(again[()]["modes"], inner["modes"])
    assert again[()]["frames"].shape == ()
    assert again[()]["seen"] == (1, [True, None])
    assert again[0, 2]["modes"].dtype == np.dtype(">u2")
    assert isinstance(again[0, 2]["gain"], np.float32)


def test_values_of_blocks(tmp_path) -> None:
    table = Table({"label": np.array([1, 2]), "kind": np.array(["a", "b"]), "mean": np.array([np.nan, 0.1])}, {"mean": "HU"})
    values = [[[(0,), table], [(1,), None]], [[(0,), float("inf")], [(1,), 1 / 3]], None, Points(np.ones((2, 3)), table)]
    write_values(tmp_path / "values.npz", values)
    tables, numbers, nothing, points = read_values(tmp_path / "values.npz")
    assert_same(tables[0][1], table)
    assert tables[0][1].units == {"mean": "HU"}
    assert numbers == [[[0], float("inf")], [[1], 1 / 3]]
    assert nothing is None
    assert_same(points, values[3])


def test_python_objects_are_refused(tmp_path) -> None:
    with pytest.raises(ServerError, match="Python objects"):
        write_state(tmp_path / "state.npz", {"a": np.array([object()])})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(5, 4, 3), (), (0, 4)])
def test_parts_of_a_kept_array(tmp_path, shape) -> None:
    values = np.random.default_rng(0).random(shape)
    assert keep_array(tmp_path / "array.bin", values.T.copy().T) == (shape, "<f8")
    box = tuple(slice(1, 3) for _ in shape)
    np.testing.assert_array_equal(read_kept(tmp_path / "array.bin", shape, "<f8", box), values[box])
