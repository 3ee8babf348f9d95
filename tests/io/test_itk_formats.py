"""MetaImage and NRRD against SimpleITK, in both directions."""

from __future__ import annotations

import bz2

import numpy as np
import pytest
import SimpleITK as sitk

import napari_lightbox as lb
from napari_lightbox.errors import ReadError

SUFFIXES = ("mha", "mhd", "nrrd", "nhdr")
RNG = np.random.default_rng(0)


def lps(image: sitk.Image) -> np.ndarray:
    """Return ITK's affine in z, y, x order."""
    count = image.GetDimension()
    linear = np.array(image.GetDirection()).reshape(count, count) * image.GetSpacing()
    matrix = np.eye(count + 1)
    matrix[:-1, :-1], matrix[:-1, -1] = linear[::-1, ::-1], image.GetOrigin()[::-1]
    return matrix


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("compression", [False, True])
def test_simpleitk_reads_ours(tmp_path, make, suffix, compression):
    volume = make("zyx", (4, 5, 6), "float32")
    path = tmp_path / f"a.{suffix}"
    lb.write(path, volume, compression=compression)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.data)
    np.testing.assert_allclose(lps(image), volume.geometry.affine, atol=1e-12)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("compression", [False, True])
def test_we_read_simpleitk(tmp_path, make, suffix, compression):
    geometry = make("zyx", (4, 5, 6)).geometry
    image = sitk.GetImageFromArray((RNG.normal(size=(4, 5, 6)) * 100).astype("int16"))
    directions = (geometry.affine[:3, :3] / geometry.spacing)[::-1, ::-1]
    image.SetSpacing((0.7, 0.71, 2.5))
    image.SetOrigin((1, 2, 3))
    image.SetDirection(directions.ravel().tolist())
    sitk.WriteImage(image, str(tmp_path / f"a.{suffix}"), useCompression=compression)
    (volume,) = lb.read(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(np.asarray(volume.data), sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.geometry.affine, lps(image), atol=1e-12)
    assert volume.geometry.units == ("mm", "mm", "mm")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_vectors_and_planes_of_simpleitk(tmp_path, suffix):
    for shape in ((4, 5, 6, 3), (5, 6, 3)):
        image = sitk.GetImageFromArray(RNG.integers(0, 255, shape, "uint8"), isVector=True)
        sitk.WriteImage(image, str(tmp_path / f"a.{suffix}"))
        (volume,) = lb.read(tmp_path / f"a.{suffix}")
        assert volume.axes == ("zyxc" if len(shape) == 4 else "yxc")
        np.testing.assert_array_equal(np.asarray(volume.data), sitk.GetArrayFromImage(image))


def test_big_endian_metaimage(tmp_path):
    data = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    (tmp_path / "a.raw").write_bytes(data.tobytes())
    header = "ObjectType = Image\nNDims = 3\nElementByteOrderMSB = True\nElementSpacing = 0.7 0.7 2.5\nDimSize = 4 3 2\n"
    (tmp_path / "a.mhd").write_text(header + "ElementType = MET_SHORT\nElementDataFile = a.raw\n")
    (volume,) = lb.read(tmp_path / "a.mhd")
    assert volume.geometry.spacing == (2.5, 0.7, 0.7)
    assert volume.dtype.isnative
    np.testing.assert_array_equal(np.asarray(volume.data), data)


def test_metaimage_lists_of_files(tmp_path):
    data = np.arange(24, dtype="<u2").reshape(2, 3, 4)
    for i, plane in enumerate(data):
        (tmp_path / f"s{i:02d}.raw").write_bytes(plane.tobytes())
    header = "NDims = 3\nDimSize = 4 3 2\nElementType = MET_USHORT\n"
    for name, where in (("a.mhd", "s%02d.raw 0 1 1"), ("b.mhd", "LIST\ns00.raw\ns01.raw")):
        (tmp_path / name).write_text(f"{header}ElementDataFile = {where}\n")
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / name)[0].data), data)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("bzip2", bz2.compress), ("ascii", lambda b: " ".join(str(v) for v in np.frombuffer(b, ">i4")).encode()), ("raw", bytes)],
)
def test_nrrd_encodings_and_spaces(tmp_path, encoding, pack):
    data = np.arange(24, dtype=">i4").reshape(2, 3, 4)
    header = (
        f"NRRD0004\n# made by hand\ntype: int\ndimension: 3\nspace: RAS\nsizes: 4 3 2\n"
        "space directions: (2,0,0) (0,3,0) (0,0,4)\n"
        f"space origin: (10,20,30)\nendian: big\nencoding: {encoding}\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + pack(data.tobytes()))
    (volume,) = lb.read(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(np.asarray(volume.data), data)
    np.testing.assert_array_equal(volume.geometry.affine, [[4, 0, 0, 30], [0, -3, 0, -20], [0, 0, -2, -10], [0, 0, 0, 1]])


def test_nrrd_spacings_without_space(tmp_path):
    header = "NRRD0001\ntype: uchar\ndimension: 2\nsizes: 3 2\nspacings: 0.5 0.25\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(6))
    assert lb.read(tmp_path / "a.nrrd")[0].geometry.spacing == (0.25, 0.5)


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_samples_missing_or_short(tmp_path, make, suffix):
    lb.write(tmp_path / f"a.{suffix}", make("zyx", (3, 4, 5)))
    raw = tmp_path / "a.raw"
    raw.write_bytes(raw.read_bytes()[:-1])
    with pytest.raises(ReadError, match="cut off"):
        lb.read(tmp_path / f"a.{suffix}")
    raw.unlink()
    with pytest.raises(ReadError, match=r"samples are missing: a\.raw") as caught:
        lb.read(tmp_path / f"a.{suffix}")
    assert caught.value.subject.endswith(suffix)


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_rewriting_a_pair_keeps_one_sample_file(tmp_path, make, suffix):
    for seed in range(3):
        volume = make("zyx", (3, 4, 5), seed=seed)
        lb.write(tmp_path / f"a.{suffix}", volume)
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / f"a.{suffix}")[0].data), volume.data)
        assert len(list(tmp_path.iterdir())) == 2
