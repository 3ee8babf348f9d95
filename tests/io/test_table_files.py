"""Tables: every digit, every type, units in the header."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import InputError, ReadError


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_types_and_units_come_back(tmp_path, suffix):
    table = Table(
        {
            "label": np.array([1, 2, -3]), "area": np.array([0.1, np.nan, 1e-300]), "name": np.array(["a, b", 'say "x"', "007"]),
            "inside": np.array([True, False, True]), "big": np.array([2**63, 1, 2], "uint64"),
        },
        {"area": "mm^2"},
    )  # fmt: skip
    lb.write(tmp_path / f"a.{suffix}", table)
    (found,) = lb.read(tmp_path / f"a.{suffix}")
    assert list(found) == list(table)
    assert found.units == {"area": "mm^2"}
    for name in table:
        np.testing.assert_array_equal(found[name], table[name])
        assert found[name].dtype.kind == table[name].dtype.kind


@settings(max_examples=30, deadline=None)
@given(values=arrays(np.float64, st.integers(0, 6)))
def test_every_digit_comes_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("t") / "a.csv"
    lb.write(path, Table({"v": values, "n": np.arange(len(values))}))
    np.testing.assert_array_equal(lb.read(path)[0]["v"], values)


def test_pandas_agrees(tmp_path):
    lb.write(tmp_path / "a.csv", Table({"x": np.array([1.5, np.nan]), "s": np.array(["a", "b"])}))
    frame = pd.read_csv(tmp_path / "a.csv")
    assert frame["s"].tolist() == ["a", "b"]
    assert frame["x"].isna().tolist() == [False, True]
    frame.to_csv(tmp_path / "b.csv", sep=";", index=False)
    np.testing.assert_array_equal(lb.read(tmp_path / "b.csv")[0]["x"], [1.5, np.nan])


def test_bad_tables(tmp_path):
    cases = {"a,b\n1,2\n3\n": "line 3 has 1 cells", "a,a\n1,2\n": "names a column twice", "\n": "no header line"}
    for content, reason in cases.items():
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(ReadError, match=reason):
            lb.read(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(ReadError):
        lb.read(tmp_path / "a.csv")
    with pytest.raises(InputError, match="takes a Table"):
        lb.write(tmp_path / "b.csv", Volume(np.zeros((2, 2)), Geometry("yx", (2, 2))))
