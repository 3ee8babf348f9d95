"""NIfTI and Analyze against nibabel and SimpleITK, on nibabel's own files."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.testing import data_path

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError

FILES = ["example4d.nii.gz", "anatomical.nii", "functional.nii", "example_nifti2.nii.gz", "reoriented_anat_moved.nii"]
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def xyz_affine(geometry: Geometry) -> np.ndarray:
    spatial = geometry.select("zyx").affine
    order = [2, 1, 0, 3]
    return spatial[np.ix_(order, order)]


@pytest.mark.parametrize("name", FILES)
def test_agrees_with_nibabel(name):
    path = Path(data_path, name)
    (volume,) = lb.read(path)
    image = nibabel.load(path)
    np.testing.assert_array_equal(np.asarray(volume.data, np.float64), image.get_fdata(dtype=np.float64).astype(volume.dtype).T)
    np.testing.assert_allclose(xyz_affine(volume.geometry), RAS_TO_LPS @ image.affine, atol=1e-6)
    if image.ndim == 4:
        assert volume.axes == "tzyx"
        assert volume.geometry.spacing[0] == pytest.approx(float(image.header.get_zooms()[3]))
        assert volume.geometry.units[0] == "s"


@pytest.mark.parametrize("name", ["anatomical.nii", "functional.nii", "example4d.nii.gz"])
def test_agrees_with_simpleitk(name):
    path = Path(data_path, name)
    (volume,) = lb.read(path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_allclose(np.asarray(volume.data), sitk.GetArrayFromImage(image), rtol=1e-6)
    count = image.GetDimension()
    directions = np.array(image.GetDirection()).reshape(count, count)[:3, :3] * image.GetSpacing()[:3]
    # ITK builds orthonormal directions from the float32 quaternion of the qform, hence 1e-4 mm.
    np.testing.assert_allclose(xyz_affine(volume.geometry)[:3, :3], directions, atol=1e-4)
    np.testing.assert_allclose(xyz_affine(volume.geometry)[:3, 3], image.GetOrigin()[:3], atol=1e-4)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
def test_real_files_come_back_and_others_agree(tmp_path, name, suffix):
    (volume,) = lb.read(Path(data_path, name))
    path = tmp_path / f"b.{suffix}"
    lb.write(path, volume)
    (again,) = lb.read(path)
    assert again.geometry == volume.geometry
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(volume.data))
    written = nibabel.load(path)
    np.testing.assert_allclose(written.affine, nibabel.load(Path(data_path, name)).affine, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(written.dataobj).T, np.asarray(volume.data))


def test_qform_agrees_with_sform_for_oblique_volumes(tmp_path, make):
    volume = make("zyx", (4, 5, 6))
    lb.write(tmp_path / "a.nii", volume)
    image = nibabel.load(tmp_path / "a.nii")
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-5)
    assert image.header["qform_code"] == image.header["sform_code"] == 1
    itk = sitk.ReadImage(str(tmp_path / "a.nii"))
    index = (5, 1, 3)
    world = xyz_affine(volume.geometry) @ [*index, 1]
    np.testing.assert_allclose(itk.TransformIndexToPhysicalPoint(index), world[:3], atol=1e-4)


def test_shear_is_kept_in_the_sform_only(tmp_path):
    matrix = np.array([[2, 0.5, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]])
    volume = Volume(np.zeros((2, 3, 4), "uint8"), Geometry("zyx", (2, 3, 4), matrix, ("mm",) * 3))
    lb.write(tmp_path / "a.nii", volume)
    assert nibabel.load(tmp_path / "a.nii").header["qform_code"] == 0
    assert lb.read(tmp_path / "a.nii")[0].geometry == volume.geometry


@pytest.mark.parametrize(("slope", "inter", "dtype"), [(2, -5, "int32"), (1, 0, "int16"), (0.5, 1.25, "float32")])
def test_slope_and_intercept(tmp_path, slope, inter, dtype):
    stored = np.arange(24, dtype="int16").reshape(4, 3, 2)
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_slope_inter(slope, inter)
    with (tmp_path / "a.nii").open("wb") as file:
        image.header.set_data_offset(352)
        image.header.write_to(file)
        file.seek(352)
        file.write(stored.tobytes(order="F"))
    (volume,) = lb.read(tmp_path / "a.nii")
    assert volume.dtype == dtype
    np.testing.assert_array_equal(np.asarray(volume.data), stored.T * slope + inter)


def test_big_endian_becomes_native(tmp_path):
    data = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nibabel.Nifti1Image(data, np.eye(4), header).to_filename(tmp_path / "a.nii")
    assert (tmp_path / "a.nii").read_bytes()[:4] == (348).to_bytes(4, "big")
    (volume,) = lb.read(tmp_path / "a.nii")
    assert volume.dtype == np.dtype("int16")
    assert volume.dtype.isnative
    np.testing.assert_array_equal(np.asarray(volume.data), data.T)


def test_fourth_axis_may_be_channels(tmp_path):
    nibabel.Nifti1Image(np.zeros((2, 3, 4, 5), "uint8"), np.eye(4)).to_filename(tmp_path / "a.nii")
    assert lb.read(tmp_path / "a.nii")[0].axes == "tzyx"
    assert lb.read(tmp_path / "a.nii", fourth="c")[0].axes == "czyx"


def test_label_intent_of_other_programs(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), "int16"), np.eye(4))
    image.header.set_intent("label")
    image.to_filename(tmp_path / "a.nii")
    assert lb.read(tmp_path / "a.nii")[0].role == "labels"


def test_pairs_and_analyze(tmp_path):
    data = np.arange(24, dtype="int16").reshape(2, 3, 4)
    nibabel.Nifti1Pair(data, np.diag([2, 3, 4, 1])).to_filename(tmp_path / "pair.img")
    for name in ("pair.img", "pair.hdr"):
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / name)[0].data), data.T)
    analyze = nibabel.AnalyzeImage(data, None)
    analyze.header.set_zooms((0.5, 0.75, 2))
    analyze.to_filename(tmp_path / "old.img")
    (volume,) = lb.read(tmp_path / "old.hdr")
    assert volume.geometry.spacing == (2, 0.75, 0.5)
    assert "orientation" in volume.metadata["note"]
    np.testing.assert_array_equal(np.asarray(volume.data), data.T)


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_cut_off_files_are_noticed_before_anything_is_shown(tmp_path, make, keep):
    for suffix in ("nii", "nii.gz"):
        path = tmp_path / f"a.{suffix}"
        lb.write(path, make("zyx", (10, 30, 30)))
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        with pytest.raises(ReadError) as caught:
            lb.read(path)
        assert caught.value.subject == str(path)
        assert path.read_bytes() == content[: int(len(content) * keep)]


def test_files_of_several_gzip_members(tmp_path, make):
    volume = make("zyx", (3, 4, 5))
    lb.write(tmp_path / "a.nii", volume)
    content = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / "b.nii.gz")[0].data), volume.data)
