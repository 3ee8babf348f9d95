from __future__ import annotations

import numpy as np
import pytest

import napari_lightbox as lb


@pytest.mark.parametrize("name", ["head.nrrd", "head.mha", "head.ome.zarr", "head.tif", "head-series"])
def test_values_and_geometry_survive(name, head, lightbox, tmp_path):
    path, volume = head
    code, _, err = lightbox("convert", path, tmp_path / name)
    assert code == 0, err
    (result,) = lb.read(tmp_path / name)
    np.testing.assert_array_equal(np.asarray(result.data), volume.data)
    assert result.geometry == volume.geometry


def test_unknown_ending(head, lightbox, tmp_path):
    code, _, err = lightbox("convert", head[0], tmp_path / "head.xyz")
    assert code == 2
    assert "no writer" in err
