"""Which format a file has, bad input of every kind, and laziness that all formats share."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import FormatError, InputError, LightboxError, ParameterError, ReadError, WriteError
from napari_lightbox.io import streaming
from napari_lightbox.io.formats import FORMATS, format_of, writer_of
from napari_lightbox.io.lazy import Frames, Raw, lazy, plane_chunks
from napari_lightbox.io.rescale import Rescale

SUFFIXES = ("nii", "nii.gz", "mha", "nrrd", "tif", "ome.tif", "ome.zarr", "series")


def small(axes: str = "zyx", shape: tuple[int, ...] = (3, 8, 8)) -> Volume:
    return Volume(np.arange(np.prod(shape), dtype="int16").reshape(shape), Geometry(axes, shape))


def test_every_format_loads_and_declares_itself():
    for known in FORMATS:
        assert callable(known.module.read)
        assert callable(known.module.write)
        assert set(known.writes) <= {*known.suffixes, ""}


def test_mislabelled_files_are_recognised_by_content(tmp_path):
    lb.write(tmp_path / "a.nii.gz", small())
    lb.write(tmp_path / "a.tif", small())
    lb.write(tmp_path / "a.nrrd", small())
    lb.write(tmp_path / "s", small())
    (tmp_path / "a.nii.gz").rename(tmp_path / "b.png")
    (tmp_path / "a.tif").rename(tmp_path / "b.nii")
    (tmp_path / "a.nrrd").rename(tmp_path / "b")
    next((tmp_path / "s").iterdir()).rename(tmp_path / "b.tif")
    found = {n: lb.read(tmp_path / n)[0].metadata["format"] for n in ("b.png", "b.nii", "b", "b.tif")}
    assert found == {"b.png": "NIfTI", "b.nii": "TIFF", "b": "NRRD", "b.tif": "DICOM"}


@pytest.mark.parametrize("suffix", [s for f in FORMATS for s in f.suffixes if "zarr" not in s])
def test_noise_under_any_name_is_refused_politely(tmp_path, suffix):
    path = tmp_path / f"noise{suffix}"
    noise = np.random.default_rng(3).bytes(3000)
    path.write_bytes(noise)
    with pytest.raises(LightboxError) as caught:
        np.asarray(lb.read(path)[0])
    assert caught.value.subject == str(path)
    assert caught.value.way_out
    assert path.read_bytes() == noise


@pytest.mark.parametrize("suffix", [s for f in FORMATS for s in f.suffixes])
def test_missing_and_empty_files(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(ReadError, match="does not exist"):
        lb.read(path)
    path.touch()
    with pytest.raises(ReadError) as caught:
        lb.read(path)
    assert caught.value.subject == str(path)


def test_unknown_formats_and_folders(tmp_path):
    (tmp_path / "a.docx").write_text("text")
    with pytest.raises(FormatError, match="not known"):
        lb.read(tmp_path / "a.docx")
    with pytest.raises(FormatError, match="no writer"):
        lb.write(tmp_path / "a.docx", small())
    with pytest.raises(ReadError, match="holds no DICOM image"):
        lb.read(tmp_path)
    with pytest.raises(ReadError, match="no file fits"):
        lb.read(tmp_path / "*.nii")
    with pytest.raises(ReadError, match="not on this computer"):
        lb.read("https://example.org/a.zarr")


def test_no_permission_to_read(tmp_path, monkeypatch):
    lb.write(tmp_path / "a.nii", small())

    def denied(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ReadError, match="permission denied") as caught:
        lb.read(tmp_path / "a.nii")
    assert "Ask for read access" in caught.value.way_out


def test_options_are_checked(tmp_path):
    lb.write(tmp_path / "a.nii", small())
    with pytest.raises(ParameterError, match="Options are: fourth"):
        lb.read(tmp_path / "a.nii", axes="zyx")
    with pytest.raises(ParameterError, match="Options are: compression, pyramid"):
        lb.write(tmp_path / "a.tif", small(), quality=3)


def test_what_a_file_takes(tmp_path):
    with pytest.raises(InputError, match="nothing to write"):
        lb.write(tmp_path / "a.nii")
    with pytest.raises(InputError, match="takes a Volume, not a ndarray"):
        lb.write(tmp_path / "a.nii", np.zeros((3, 3)))
    with pytest.raises(InputError, match="takes a Volume, not a Table"):
        lb.write(tmp_path / "a.nii", Table({"a": np.zeros(2)}))
    with pytest.raises(WriteError, match="one volume, 2 were given"):
        lb.write(tmp_path / "a.nii", small(), small())
    with pytest.raises(WriteError, match="one image and its labels"):
        lb.write(tmp_path / "a.zarr", small(), small())
    for name in ("a.tif", "a.zarr", "a.png", "series"):
        with pytest.raises(WriteError):
            lb.write(tmp_path / name, Volume(np.zeros(5, "int16"), Geometry("x", (5,))))
    assert not list(tmp_path.iterdir())


def test_empty_volumes_and_other_array_likes(tmp_path):
    import zarr

    with pytest.raises(InputError, match="without voxels"):
        lb.write(tmp_path / "a.nii", Volume(np.zeros((0, 3, 3)), Geometry("zyx", (0, 3, 3))))
    array = zarr.create_array(tmp_path / "z.zarr", data=small().data)
    for suffix in ("nii", "tif", "ome.zarr", "mha"):
        lb.write(tmp_path / f"a.{suffix}", small().with_data(array))
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / f"a.{suffix}")[0].data), small().data)


@pytest.mark.parametrize("suffix", ["nii.gz", "tif", "ome.tif"])
def test_large_lazy_data_is_spooled_and_computed_once(tmp_path, monkeypatch, suffix):
    """Formats that are written in order take blocks that come in any order, and each is computed once."""
    import dask.array as da

    monkeypatch.setattr(streaming, "_IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(streaming, "_SLAB_BYTES", 200)
    seen: list[tuple[int, ...]] = []

    def block(part: np.ndarray, block_info: Any = None) -> np.ndarray:
        seen.append(tuple(block_info[0]["chunk-location"]))
        return part

    volume = small("zyx", (6, 8, 8))
    lazy_data = da.from_array(volume.data, chunks=(4, 4, 8)).map_blocks(block, dtype="int16")
    option = {} if suffix == "nii.gz" else {"compression": "zlib"}
    lb.write(tmp_path / f"a.{suffix}", volume.with_data(lazy_data), **option)
    assert sorted(seen) == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]
    np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / f"a.{suffix}")[0].data), volume.data)
    assert [p.name for p in tmp_path.iterdir()] == [f"a.{suffix}"]


def test_source_and_format_are_in_the_metadata(tmp_path):
    lb.write(tmp_path / "a.nii", small())
    assert lb.read(tmp_path / "a.nii")[0].metadata["source"] == str(tmp_path / "a.nii")
    assert format_of(tmp_path / "a.nii").name == writer_of(Path("x.NII.GZ")).name == "nifti"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_volumes_stay_in_their_file(tmp_path, suffix):
    """A slice of a stack touches a few chunks, and the arrays travel to other processes."""
    path = tmp_path / ("series" if suffix == "series" else f"a.{suffix}")
    volume = Volume(np.arange(64 * 128 * 128, dtype="int16").reshape(64, 128, 128), Geometry("zyx", (64, 128, 128)))
    lb.write(path, volume)
    (found,) = lb.read(path)
    assert hasattr(found.data, "dask")
    part = found.data[11]
    (wanted,) = dask.optimize(part)
    assert len(wanted.__dask_graph__()) <= 4
    np.testing.assert_array_equal(np.asarray(part), volume.data[11])
    travelled = pickle.loads(pickle.dumps(found.data))
    np.testing.assert_array_equal(np.asarray(travelled[5, ::3, 7:9]), volume.data[5, ::3, 7:9])
    assert lb.read(path)[0].data.name == found.data.name


@pytest.mark.parametrize("suffix", SUFFIXES[:-1])
def test_reading_leaves_files_alone(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    lb.write(path, small())
    files = [p for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()]
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in files}
    for p in files:
        p.chmod(0o400)
    np.asarray(lb.read(path)[0].data)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in files} == before


def test_a_hundred_thousand_frames_cost_as_much_as_ten(tmp_path):
    (tmp_path / "a").touch()
    read: list[int] = []

    def load(number: int) -> np.ndarray:
        read.append(number)
        return np.full((4, 5), number, "int32")

    data = lazy(Frames(tmp_path / "a", (100, 1000), (4, 5), "int32", load), (1, 1, 4, 5), tmp_path / "a")
    assert int(data[77, 321, 0, 0].compute()) == 77_321
    assert read == [77_321]
    assert data[3:5, 10:2:-4].sum().compute() == 4 * 5 * (3010 + 3006 + 4010 + 4006)


KEYS = [
    np.s_[2], np.s_[1:3, 0], np.s_[..., 4], np.s_[::-2, 1, 3:1:-1], np.s_[-1, -2, -3:], np.s_[2:2], np.s_[...], np.s_[[2, 0]],
    np.s_[:, ::2, [1, 3]],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_lazy_arrays_index_like_arrays(tmp_path, key):
    array = np.arange(4 * 3 * 5, dtype=">i4").reshape(4, 3, 5)
    (tmp_path / "a").write_bytes(b"head" + array.tobytes())
    raw = Raw(tmp_path / "a", 4, array.shape, ">i4")
    frames = Frames(tmp_path / "a", (4,), (3, 5), ">i4", lambda n: array[n])
    for source in (raw, frames):
        data = lazy(source, (1, 3, 5), tmp_path / "a", type(source).__name__)
        np.testing.assert_array_equal(np.asarray(data[key]), array[key])
        assert data.dtype.isnative
    volume = Volume(array, Geometry("zyx", array.shape))
    for suffix, option in (("tif", {"compression": "zlib"}), ("ome.zarr", {}), ("nii.gz", {})):
        lb.write(tmp_path / f"a.{suffix}", volume, **option)
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / f"a.{suffix}")[0].data[key]), array[key])


def test_only_what_is_looked_at_is_read(tmp_path):
    keys = []

    class Spy(Raw):
        def __getitem__(self, key: Any) -> Any:
            keys.append(key)
            return super().__getitem__(key)

    (tmp_path / "a").write_bytes(bytes(40 * 30 * 20))
    np.asarray(lazy(Spy(tmp_path / "a", 0, (40, 30, 20), "uint8"), (40, 30, 20), tmp_path / "a")[7, 3:9])
    assert keys == [(7, slice(3, 9, None), slice(0, 20, None))]


def test_chunks_hold_whole_planes_of_a_few_megabytes():
    assert plane_chunks("tzyx", (10, 40, 512, 512), 2) == (1, 8, 512, 512)
    assert plane_chunks("zyxc", (40, 512, 512, 3), 1) == (5, 512, 512, 3)
    assert plane_chunks("yx", (40_000, 40_000), 2) == (838, 40_000)
    assert plane_chunks("czyx", (2, 3, 8, 8), 1) == (1, 3, 8, 8)


@pytest.mark.parametrize(
    ("slope", "intercept", "low", "high", "stored", "dtype"),
    [
        (1, 0, 0, 65535, "uint16", "uint16"), (1, -1024, 0, 4095, "uint16", "int16"), (1, -1024, 0, 65535, "uint16", "int32"),
        (2, 0, 0, 255, "uint8", "int16"), (-1, 0, 0, 65535, "uint16", "int32"), (0.5, 0, 0, 255, "uint8", "float32"),
        (1, 0.5, 0, 1, "int32", "float64"), (3, 1, 0, 0, "float32", "float32"), (1, -10, 0, 50_000, "uint16", "int32"),
    ],
)  # fmt: skip
def test_values_get_a_type_that_holds_them(slope, intercept, low, high, stored, dtype):
    rescale = Rescale.over(slope, intercept, low, high, stored)
    assert rescale.dtype == dtype
    ends = np.array([low, high], stored)
    np.testing.assert_array_equal(rescale(ends), ends.astype(float) * slope + intercept)


def test_tokens_follow_the_file(tmp_path):
    path = tmp_path / "a.nii"
    lb.write(path, small())
    first = lb.read(path)[0].data.name
    lb.write(path, small().with_data(small().data + 1))
    os.utime(path, ns=(1, 1))
    assert lb.read(path)[0].data.name != first
