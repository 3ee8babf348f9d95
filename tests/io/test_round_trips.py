"""What goes out comes back: data, dtype, geometry, role and name, in every format that can hold the volume."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume

MEDICAL = ("nii", "nii.gz", "mha", "mhd", "nrrd", "nhdr")
EXACT = (*MEDICAL, "tif", "ome.tif", "ome.zarr")
LAYOUTS = [
    ("zyx", (1, 5, 6)), ("yx", (5, 6)), ("tzyx", (2, 4, 5, 6)), ("tyx", (3, 5, 6)), ("zyxc", (4, 5, 6, 3)), ("yxc", (5, 6, 4)),
    ("tczyx", (2, 3, 4, 5, 6)), ("xyz", (4, 5, 6)), ("qzyx", (2, 3, 4, 5)),
]  # fmt: skip
DTYPES = ("uint8", "int16", ">u2", "int32", "float32", ">f8", "bool", "float16")


def assert_same(found: Volume, wanted: Volume) -> None:
    assert found.geometry == wanted.geometry
    assert np.dtype(found.dtype) == np.dtype(wanted.dtype).newbyteorder("=")
    np.testing.assert_array_equal(np.asarray(found.data), np.asarray(wanted.data))
    assert (found.role, found.name) == (wanted.role, wanted.name)


@pytest.mark.parametrize("suffix", EXACT)
@pytest.mark.parametrize(("axes", "shape"), LAYOUTS)
def test_axes_and_geometry_come_back(tmp_path, make, suffix, axes, shape):
    volume = make(axes, shape, "uint8" if "c" in axes else "int16")
    lb.write(tmp_path / f"a.{suffix}", volume)
    (found,) = lb.read(tmp_path / f"a.{suffix}")
    assert_same(found, volume)


@pytest.mark.parametrize("suffix", EXACT)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_come_back(tmp_path, make, suffix, dtype):
    volume = make("zyx", (3, 4, 5), dtype)
    lb.write(tmp_path / f"a.{suffix}", volume)
    assert_same(lb.read(tmp_path / f"a.{suffix}")[0], volume)


@pytest.mark.parametrize("suffix", EXACT)
def test_labels_stay_labels_and_lazy_equals_eager(tmp_path, make, suffix):
    volume = make("zyx", (5, 6, 7), "int32", "labels")
    lb.write(tmp_path / f"a.{suffix}", volume.with_data(da.from_array(volume.data, chunks=(2, 3, 4))))
    assert_same(lb.read(tmp_path / f"a.{suffix}")[0], volume)


@pytest.mark.parametrize("suffix", EXACT)
def test_units_and_recipe_come_back(tmp_path, suffix):
    geometry = Geometry.of("zyx", (2, 3, 4), (1.5, 0.2, 0.2), (0, 4, 5), ("um", "um", "um"))
    volume = Volume(np.ones((2, 3, 4), "uint8"), geometry, {"provenance": {"id": "gaussian_blur", "parameters": {"sigma": 2}}})
    lb.write(tmp_path / f"a.{suffix}", volume)
    (found,) = lb.read(tmp_path / f"a.{suffix}")
    assert found.geometry == geometry
    assert found.metadata["provenance"] == volume.metadata["provenance"]


@pytest.mark.parametrize("suffix", ["nii.gz", "mha", "nrrd", "tif", "ome.tif"])
def test_compression_changes_nothing(tmp_path, make, suffix):
    volume = make("zyx", (3, 40, 50), "uint16")
    option = {} if suffix == "nii.gz" else {"compression": "zlib" if "tif" in suffix else True}
    lb.write(tmp_path / f"a.{suffix}", volume, **option)
    assert_same(lb.read(tmp_path / f"a.{suffix}")[0], volume)


affines = arrays(np.float64, (3, 3), elements=st.floats(-1, 1, width=16)).filter(lambda m: abs(np.linalg.det(m)) > 0.05)
dtypes = st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64", "bool"])


@pytest.mark.parametrize("suffix", EXACT)
@settings(max_examples=6, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    linear=affines,
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    dtype=dtypes,
    data=st.data(),
)
def test_any_small_volume_comes_back(suffix, shape, linear, origin, dtype, data):
    array = data.draw(arrays(dtype, shape))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, origin
    volume = Volume(array, Geometry("zyx", shape, matrix, ("mm",) * 3), {}, "image", "x")
    with tempfile.TemporaryDirectory() as folder:
        lb.write(Path(folder, f"a.{suffix}"), volume)
        (found,) = lb.read(Path(folder, f"a.{suffix}"))
        assert_same(found, volume)


def test_our_note_loses_against_a_changed_header(tmp_path, make):
    import nibabel

    volume = make("zyx", (3, 4, 5))
    lb.write(tmp_path / "a.nii", volume)
    image = nibabel.load(tmp_path / "a.nii")
    moved = image.affine.copy()
    moved[0, 3] += 7
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), moved, image.header), tmp_path / "b.nii")
    (found,) = lb.read(tmp_path / "b.nii")
    assert found.geometry.origin[2] == pytest.approx(volume.geometry.origin[2] - 7, abs=1e-4)
