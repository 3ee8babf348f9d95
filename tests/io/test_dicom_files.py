"""DICOM against pydicom and SimpleITK, on pydicom's own files and on series made for the purpose."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import MissingDependencyError, ReadError, WriteError
from napari_lightbox.io import dicom_frames

PLACED = [
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "693_J2KI.dcm", "rtdose.dcm",
    "MR_small_jpeg_ls_lossless.dcm", "examples_overlay.dcm",
]  # fmt: skip
PICTURES = [
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "examples_ybr_color.dcm",
    "examples_palette.dcm",
    "image_dfl.dcm",
    "JPEG-lossy.dcm",
]
sitk.ProcessObject.SetGlobalWarningDisplay(False)


def path_of(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def itk_affine(image: sitk.Image) -> np.ndarray:
    linear = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear[::-1, ::-1], image.GetOrigin()[::-1]
    return matrix


@pytest.mark.parametrize("name", PLACED)
def test_geometry_and_values_agree_with_simpleitk(name):
    (volume,) = lb.read(path_of(name))
    image = sitk.ReadImage(str(path_of(name)))
    np.testing.assert_allclose(volume.geometry.affine, itk_affine(image), atol=1e-6)
    np.testing.assert_allclose(np.asarray(volume.data), sitk.GetArrayFromImage(image), rtol=1e-6)
    assert volume.geometry.units == ("mm", "mm", "mm")


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_agree_with_simpleitk(name):
    (volume,) = lb.read(path_of(name))
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path_of(name))))
    np.testing.assert_array_equal(np.asarray(volume.data), expected.reshape(volume.shape))


def make_slice(path: Path, plane: np.ndarray, position: tuple[float, ...], **fields: Any) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    bits = plane.dtype.itemsize * 8
    values = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID, "SeriesInstanceUID": "1.2.3",
        "Modality": "CT",
        "Rows": plane.shape[0], "Columns": plane.shape[1], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(plane.dtype.kind == "i"),
        "PixelSpacing": [0.8, 0.6], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": list(position),
        "SeriesDescription": "made", "PatientName": "Doe^Jane",
    }  # fmt: skip
    for keyword, value in (values | fields).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = plane.tobytes()
    dataset.save_as(path, enforce_file_format=True)


def make_series(folder: Path, count: int = 6, start: int = 0, skip: tuple[int, ...] = (), **fields: Any) -> np.ndarray:
    """Write slices whose file names say nothing about their order; return the array in the right order."""
    folder.mkdir(exist_ok=True)
    data = np.arange(count * 12, dtype="uint16").reshape(count, 3, 4)
    order = np.random.default_rng(1).permutation(count)
    for number, i in enumerate(order):
        if i not in skip:
            make_slice(folder / f"f{start + number:03d}", data[i], (5.0, -7.0, 100 + 2.5 * float(i)), **fields)
    return data


def test_shuffled_series_is_sorted_by_position(tmp_path):
    data = make_series(tmp_path / "s", BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024)
    (volume,) = lb.read(tmp_path / "s")
    assert volume.dtype == np.int16
    np.testing.assert_array_equal(np.asarray(volume.data), data.astype(int) - 1024)
    assert volume.geometry == Geometry.of("zyx", data.shape, (2.5, 0.8, 0.6), (100, -7, 5), ("mm",) * 3)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "s")))
    image = reader.Execute()
    np.testing.assert_array_equal(np.asarray(volume.data), sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.geometry.affine, itk_affine(image), atol=1e-9)
    assert volume.metadata["header"]["PatientName"] == "Doe^Jane"
    assert "PatientName" not in lb.read(tmp_path / "s", strip_patient=True)[0].metadata["header"]


def test_a_list_and_a_pattern_of_files_are_one_series(tmp_path):
    data = make_series(tmp_path / "s")
    for path in (sorted((tmp_path / "s").iterdir()), str(tmp_path / "s" / "f*")):
        (volume,) = lb.read(path)
        np.testing.assert_array_equal(np.asarray(volume.data), data)


def test_only_the_slice_looked_at_is_read(tmp_path, monkeypatch):
    data = make_series(tmp_path / "s", 20)
    (volume,) = lb.read(tmp_path / "s")
    touched: list[Path] = []
    load = dicom_frames._native
    monkeypatch.setattr(dicom_frames, "_native", lambda frame: touched.append(frame.path) or load(frame))
    np.testing.assert_array_equal(np.asarray(volume.data[7]), data[7])
    assert len(touched) == 1


def test_missing_slices_are_reported(tmp_path):
    make_series(tmp_path / "s", 7, skip=(3,))
    (volume,) = lb.read(tmp_path / "s")
    assert volume.shape[0] == 6
    (warning,) = volume.metadata["warnings"]
    assert "Between slices 2 and 3: 1 missing" in warning


def test_mixed_series_are_offered_separately(tmp_path):
    first = make_series(tmp_path / "s")
    second = make_series(tmp_path / "s", 4, start=50, SeriesInstanceUID="1.2.4", SeriesDescription="other")
    make_slice(tmp_path / "s" / "scout", np.zeros((8, 8), "uint16"), (0, 0, 0), ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    (tmp_path / "s" / "readme.txt").write_text("not an image")
    volumes = lb.read(tmp_path / "s")
    assert sorted(v.shape for v in volumes) == [(1, 8, 8), (4, 3, 4), (6, 3, 4)]
    by_shape = {v.shape: v for v in volumes}
    np.testing.assert_array_equal(np.asarray(by_shape[6, 3, 4].data), first)
    np.testing.assert_array_equal(np.asarray(by_shape[4, 3, 4].data), second)
    assert by_shape[4, 3, 4].name == "other"
    assert volumes[0].metadata["skipped"] == ["readme.txt: not DICOM"]
    assert len(lb.read(tmp_path / "s", series="1.2.4")) == 1


def test_repeated_positions_become_time(tmp_path):
    for t in range(3):
        make_series(tmp_path / "s", 4, start=t * 10, TemporalPositionIdentifier=t + 1, TemporalResolution=1500)
    (volume,) = lb.read(tmp_path / "s")
    assert (volume.axes, volume.shape) == ("tzyx", (3, 4, 3, 4))
    assert volume.geometry.spacing[0] == 1.5
    assert volume.geometry.units[0] == "s"


def test_echoes_become_volumes(tmp_path):
    for n, echo in enumerate((4.5, 9.0)):
        make_series(tmp_path / "s", 4, start=n * 10, EchoTime=echo)
    assert [v.name for v in lb.read(tmp_path / "s")] == ["made echo 4.5", "made echo 9"]


def test_uneven_repeats_are_split_by_acquisition(tmp_path):
    make_series(tmp_path / "s", 4, AcquisitionNumber=1)
    make_series(tmp_path / "s", 3, start=10, AcquisitionNumber=2)
    assert [v.shape[0] for v in lb.read(tmp_path / "s")] == [4, 3]


def test_gantry_tilt_is_kept_as_shear(tmp_path):
    (tmp_path / "s").mkdir()
    for i in range(4):
        make_slice(tmp_path / "s" / f"{i}", np.zeros((3, 4), "int16"), (0, 0.5 * i, 2.0 * i))
    (volume,) = lb.read(tmp_path / "s")
    np.testing.assert_allclose(volume.geometry.affine[:3, 0], [2, 0.5, 0])
    assert "gantry tilt of 14.0 degrees" in volume.metadata["warnings"][0]


def test_fractional_and_varying_slopes(tmp_path):
    (tmp_path / "s").mkdir()
    for i, slope in enumerate((0.5, 0.25)):
        make_slice(
            tmp_path / "s" / f"{i}", np.full((3, 4), 10, "uint16"), (0, 0, float(i)), RescaleSlope=slope, RescaleIntercept=1
        )
    (volume,) = lb.read(tmp_path / "s")
    assert volume.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(volume.data)[:, 0, 0], [6, 3.5])


def test_unused_bits_and_monochrome1(tmp_path):
    plane = np.array([[0xF001, 0x0FFF]], "uint16")
    make_slice(tmp_path / "a.dcm", plane, (0, 0, 0), BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1")
    make_slice(tmp_path / "b.dcm", plane.astype("int16"), (0, 0, 0), BitsStored=12, HighBit=11)
    (volume,) = lb.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(np.asarray(volume.data)[0], [[1, 4095]])
    assert volume.metadata["photometric"] == "MONOCHROME1"
    np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / "b.dcm")[0].data)[0], [[1, -1]])


def test_enhanced_multi_frame(tmp_path):
    data = np.arange(24, dtype="uint16").reshape(2, 3, 4)
    path = tmp_path / "a.dcm"
    make_slice(path, data[0], (0, 0, 0))
    dataset = pydicom.dcmread(path)
    for keyword in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"):
        del dataset[keyword]

    def item(**fields: Any) -> pydicom.Dataset:
        made = pydicom.Dataset()
        for key, value in fields.items():
            setattr(made, key, value)
        return made

    measures, plane = item(PixelSpacing=[0.5, 0.4], SpacingBetweenSlices=3), item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    shared = item(PixelMeasuresSequence=Sequence([measures]), PlaneOrientationSequence=Sequence([plane]))
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = [
        item(
            PlanePositionSequence=Sequence([item(ImagePositionPatient=[x, 1, 2])]),
            PixelValueTransformationSequence=Sequence([item(RescaleSlope=2, RescaleIntercept=b)]),
        )
        for x, b in ((9.0, -10), (6.0, 0))
    ]
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.NumberOfFrames, dataset.PixelData = 2, data.tobytes()
    dataset.save_as(path)
    (volume,) = lb.read(path)
    values = data.astype(int) * 2 - np.array([10, 0])[:, None, None]
    by_position = values if volume.geometry.origin[2] == 9 else values[::-1]
    np.testing.assert_array_equal(np.asarray(volume.data), by_position)
    # Rows run along y, columns along -z, slices along -x: x is the third world axis.
    np.testing.assert_allclose(volume.geometry.affine[:3, :3], [[0, -0.5, 0], [0, 0, 0.4], [-3, 0, 0]])


def test_missing_decoder_names_the_package(monkeypatch):
    monkeypatch.setattr(dicom_frames, "_by_imagecodecs", lambda frame: None)
    (volume,) = lb.read(path_of("SC_rgb_jpeg_gdcm.dcm"))
    with pytest.raises(MissingDependencyError, match="pylibjpeg"):
        np.asarray(volume.data)


def test_cut_off_slice_names_the_file(tmp_path):
    make_series(tmp_path / "s")
    broken = tmp_path / "s" / "f002"
    broken.write_bytes(broken.read_bytes()[:-5])
    with pytest.raises(ReadError, match="cut off") as caught:
        lb.read(tmp_path / "s")
    assert caught.value.subject == str(broken)
    with pytest.raises(ReadError, match="cut off"):
        lb.read(path_of("MR_truncated.dcm"))


def test_folder_of_unrelated_dicom(tmp_path):
    for name in ("rtplan.dcm", "test-SR.dcm"):
        shutil.copy(path_of(name), tmp_path / name)
    with pytest.raises(ReadError, match="holds no DICOM image"):
        lb.read(tmp_path)
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(path_of(name), tmp_path / name)
    assert {v.shape for v in lb.read(tmp_path)} == {(1, 128, 128), (1, 64, 64)}


@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "bool", "int8"])
@pytest.mark.parametrize("axes", ["zyx", "tzyx", "yx", "xyz", "tyx"])
def test_written_series_comes_back(tmp_path, make, axes, dtype):
    shape = dict(zip("tzyx", (2, 3, 4, 5), strict=True))
    volume = make(axes, tuple(shape[a] for a in axes), dtype, "labels" if dtype == "bool" else "image")
    lb.write(tmp_path / "series", volume)
    (found,) = lb.read(tmp_path / "series")
    assert found.geometry == volume.geometry
    assert (found.role, found.name, found.dtype) == (volume.role, volume.name, volume.dtype)
    np.testing.assert_array_equal(np.asarray(found.data), volume.data)


@pytest.mark.parametrize("flip", [False, True])
def test_written_series_agrees_with_simpleitk(tmp_path, make, flip):
    volume = make("zyx", (4, 5, 6))
    if flip:
        turn = np.diag([-1.0, 1, 1, 1])
        volume = Volume(volume.data, Geometry("zyx", volume.shape, volume.geometry.affine @ turn, ("mm",) * 3), name="name")
    lb.write(tmp_path / "series", volume)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    image = reader.Execute()
    array = sitk.GetArrayFromImage(image)
    # Where ITK puts a voxel must be where we said it lies, whichever way it counts slices.
    for index in ((0, 0, 0), (3, 4, 5), (1, 2, 3)):
        world = volume.geometry.affine @ [*index, 1]
        there = image.TransformPhysicalPointToIndex([float(v) for v in world[2::-1]])
        assert array[there[::-1]] == volume.data[index]
    (found,) = lb.read(tmp_path / "series")
    assert found.geometry == volume.geometry
    np.testing.assert_array_equal(np.asarray(found.data), volume.data)


def test_wide_integers_fit_exactly_or_are_refused(tmp_path):
    data = np.array([[[100_000, 100_500]]], "int32")
    lb.write(tmp_path / "a", Volume(data, Geometry("zyx", data.shape)))
    (found,) = lb.read(tmp_path / "a")
    assert found.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(found.data), data)
    with pytest.raises(WriteError, match="do not fit into 16 bits"):
        lb.write(tmp_path / "b", Volume(data * 7000, Geometry("zyx", data.shape)))
    with pytest.raises(WriteError, match="hold integers"):
        lb.write(tmp_path / "b", Volume(data / 2, Geometry("zyx", data.shape)))
    assert not (tmp_path / "b").exists()


def test_dicom_to_nifti_keeps_the_world(tmp_path):
    import nibabel

    make_series(tmp_path / "s")
    (volume,) = lb.read(tmp_path / "s")
    lb.write(tmp_path / "a.nii.gz", volume)
    image = nibabel.load(tmp_path / "a.nii.gz")
    marker = np.argwhere(np.asarray(volume.data) == 29)[0]
    ours = volume.geometry.affine @ [*marker, 1]
    theirs = image.affine @ [*marker[::-1], 1]
    np.testing.assert_allclose(theirs[:3], ours[2::-1] * [-1, -1, 1], atol=1e-4)
    assert np.asarray(image.dataobj)[tuple(marker[::-1])] == 29
