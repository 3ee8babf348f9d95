"""TIFF and OME-Zarr: flavours, pyramids, units, what other programs wrote and what they read of ours."""

from __future__ import annotations

import json

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.pyramid import halved, halved_axes, halved_geometry

RNG = np.random.default_rng(0)


def stack(axes: str, shape: tuple[int, ...], spacing: dict[str, float], dtype: str = "uint16") -> Volume:
    data = RNG.integers(0, 200, shape).astype(dtype)
    units = tuple("um" if a in "zyx" else "s" if a == "t" else "pixel" for a in axes)
    return Volume(data, Geometry.of(axes, shape, spacing, None, units))


def test_imagej_hyperstacks_of_others(tmp_path):
    data = RNG.integers(0, 200, (2, 3, 2, 8, 9)).astype("uint16")
    metadata = {"axes": "TZCYX", "spacing": 1.5, "unit": "micron", "finterval": 0.5}
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, resolution=(4, 5), metadata=metadata)
    (volume,) = lb.read(tmp_path / "a.tif")
    assert volume.axes == "tzcyx"
    assert volume.geometry.spacing == pytest.approx((0.5, 1.5, 1, 0.2, 0.25))
    assert volume.geometry.units == ("s", "um", "pixel", "um", "um")
    assert volume.dtype.isnative
    np.testing.assert_array_equal(np.asarray(volume.data), data)


def test_imagej_understands_ours(tmp_path):
    volume = stack("tzyx", (2, 3, 8, 9), {"t": 0.5, "z": 1.5, "y": 0.2, "x": 0.25})
    lb.write(tmp_path / "a.tif", volume)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_imagej
        assert (tif.imagej_metadata["spacing"], tif.imagej_metadata["unit"], tif.imagej_metadata["finterval"]) == (
            1.5,
            "micron",
            0.5,
        )
        assert tif.series[0].axes == "TZYX"
        np.testing.assert_array_equal(tif.asarray(), volume.data)


def test_ome_xml_of_others(tmp_path):
    data = RNG.integers(0, 200, (2, 3, 8, 9)).astype("float32")
    metadata = {
        "axes": "CZYX", "PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.3, "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 2.0, "Channel": {"Name": ["DAPI", "GFP"]},
        "Plane": {"PositionX": [1.0] * 6, "PositionXUnit": ["µm"] * 6},
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata=metadata)
    (volume,) = lb.read(tmp_path / "a.ome.tif")
    assert volume.axes == "czyx"
    assert volume.geometry.spacing == (1, 2, 0.3, 250)
    assert volume.geometry.units == ("pixel", "um", "um", "nm")
    assert volume.geometry.origin[3] == pytest.approx(1000)
    assert volume.metadata["channels"] == ["DAPI", "GFP"]


def test_ome_tiff_states_what_we_know(tmp_path):
    volume = stack("zyx", (3, 8, 9), {"z": 1.5, "y": 0.2, "x": 0.25}, "uint8")
    lb.write(tmp_path / "a.ome.tif", volume)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeZ"], pixels["PhysicalSizeY"], pixels["PhysicalSizeX"]) == (1.5, 0.2, 0.25)
    assert pixels["PhysicalSizeXUnit"] == "µm"


def test_pages_without_axes_are_guessed_and_said(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RNG.integers(0, 9, (7, 8, 9)).astype("uint8"), metadata=None, photometric="minisblack")
    (volume,) = lb.read(tmp_path / "a.tif")
    assert volume.axes == "zyx"
    assert volume.metadata["axes_guessed"] is True
    (chosen,) = lb.read(tmp_path / "a.tif", axes="tyx")
    assert chosen.axes == "tyx"
    assert "axes_guessed" not in chosen.metadata


def test_several_series_are_several_volumes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(np.zeros((8, 9), "uint8"), photometric="minisblack")
        tif.write(np.zeros((5, 6), "uint16"), photometric="minisblack")
    assert [v.shape for v in lb.read(tmp_path / "a.tif")] == [(8, 9), (5, 6)]
    assert lb.read(tmp_path / "a.tif", series=1)[0].shape == (5, 6)
    with pytest.raises(ReadError, match="2 image series"):
        lb.read(tmp_path / "a.tif", series=2)


@pytest.mark.parametrize("shape", [(3, 1100, 1300), (2, 1030, 1050, 3)])
def test_tiff_pyramid(tmp_path, shape):
    data = RNG.integers(0, 255, shape).astype("uint8")
    volume = Volume(da.from_array(data, chunks=(1, 512, 512, 3)[: data.ndim]), Geometry("zyxc"[: data.ndim], shape))
    lb.write(tmp_path / "a.ome.tif", volume, pyramid=True, compression="zlib")
    (found,) = lb.read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(np.asarray(found.data), data)
    levels = found.metadata["pyramid"]
    assert levels[0] is found.data
    assert [lv.shape[1:3] for lv in levels] == [
        shape[1:3],
        tuple(-(-n // 2) for n in shape[1:3]),
        tuple(-(-n // 4) for n in shape[1:3]),
    ]
    expected = data[:, : shape[1] // 2 * 2, : shape[2] // 2 * 2].astype(float)
    mean = sum(expected[:, i::2, j::2] for i in (0, 1) for j in (0, 1)) / 4
    assert np.abs(np.asarray(levels[1], float)[:, : mean.shape[1], : mean.shape[2]] - mean).max() <= 0.5
    window = found.data[1, 600:700, 900:1000]
    np.testing.assert_array_equal(np.asarray(window), data[1, 600:700, 900:1000])


def test_cut_off_tiff(tmp_path, make):
    for name, option in (("a.tif", {}), ("b.tif", {"compression": "zlib"}), ("c.ome.tif", {})):
        lb.write(tmp_path / name, make("zyx", (6, 30, 30)), **option)
        content = (tmp_path / name).read_bytes()
        for keep in (0.4, 0.9, 0.99):
            (tmp_path / name).write_bytes(content[: int(len(content) * keep)])
            with pytest.raises(ReadError) as caught:
                np.asarray(lb.read(tmp_path / name)[0].data)
            assert caught.value.subject.endswith(name)


def test_what_ome_tiff_cannot_hold_is_refused(tmp_path, make):
    with pytest.raises(WriteError, match="does not hold int64"):
        lb.write(tmp_path / "a.ome.tif", make("yx", (4, 5), "int64"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_metadata_follows_the_specification(tmp_path, version):
    image = stack("zyxc", (4, 300, 310, 3), {"z": 2.0, "y": 0.5, "x": 0.5}, "uint8")
    labels = Volume(np.ones((4, 300, 310), "int32"), image.geometry.without("c"), {}, "labels", "nuclei")
    lb.write(tmp_path / "a.ome.zarr", image, labels, version=version)
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)
    ome = group.attrs["ome"] if version == "0.5" else group.attrs
    (multiscale,) = ome["multiscales"]
    assert [a["name"] for a in multiscale["axes"]] == ["c", "z", "y", "x"]
    assert [a["type"] for a in multiscale["axes"]] == ["channel", "space", "space", "space"]
    assert multiscale["axes"][3]["unit"] == "micrometer"
    scales = [d["coordinateTransformations"][0]["scale"] for d in multiscale["datasets"]]
    starts = [d["coordinateTransformations"][1]["translation"] for d in multiscale["datasets"]]
    assert scales == [[1, 2, 0.5, 0.5], [1, 2, 1, 1]]
    assert starts == [[0, 0, 0, 0], [0, 0, 0.25, 0.25]]
    inside = group["labels"]
    names = inside.attrs["ome"]["labels"] if version == "0.5" else inside.attrs["labels"]
    assert names == ["nuclei"]
    described = inside["nuclei"].attrs["ome"] if version == "0.5" else inside["nuclei"].attrs
    assert described["image-label"]["source"] == {"image": "../../"}
    found, found_labels = lb.read(tmp_path / "a.ome.zarr")
    assert (found.axes, found.geometry == image.geometry) == ("zyxc", True)
    np.testing.assert_array_equal(np.asarray(found.data), image.data)
    assert (found_labels.role, found_labels.name, found_labels.dtype) == ("labels", "nuclei", np.int32)
    assert [lv.shape for lv in found.metadata["pyramid"]] == [(4, 300, 310, 3), (4, 150, 155, 3)]


def test_ome_zarr_of_others_with_old_and_nested_layouts(tmp_path):
    root = zarr.create_group(tmp_path / "old.zarr", zarr_format=2)
    root.create_array("s0", data=np.arange(24, dtype=">u2").reshape(1, 1, 2, 3, 4), chunks=(1, 1, 1, 3, 4))
    root.attrs["multiscales"] = [{"version": "0.1", "datasets": [{"path": "s0"}]}]
    (volume,) = lb.read(tmp_path / "old.zarr")
    assert volume.axes == "tczyx"
    assert volume.dtype == np.uint16
    root = zarr.create_group(tmp_path / "raw.zarr", zarr_format=2, attributes={"bioformats2raw.layout": 3})
    for n in range(2):
        series = root.create_group(str(n))
        series.create_array("0", data=np.full((3, 4), n, "uint8"))
        axes = [{"name": "y", "type": "space", "unit": "millimeter"}, {"name": "x", "type": "space", "unit": "millimeter"}]
        steps = [{"type": "scale", "scale": [2, 3]}]
        whole = [{"type": "scale", "scale": [10, 10]}, {"type": "translation", "translation": [1, 0]}]
        datasets = [{"path": "0", "coordinateTransformations": steps}]
        series.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets, "coordinateTransformations": whole}]
    volumes = lb.read(tmp_path / "raw.zarr")
    assert [int(np.asarray(v.data).max()) for v in volumes] == [0, 1]
    assert volumes[0].geometry == Geometry.of("yx", (3, 4), (20, 30), (1, 0), ("mm", "mm"))


def test_plain_zarr_arrays_and_foreign_groups(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=np.zeros((2, 3, 4), "int16"), dimension_names=["t", "y", "x"])
    assert lb.read(tmp_path / "a.zarr")[0].axes == "tyx"
    zarr.create_group(tmp_path / "b.zarr").create_array("x", data=np.zeros(3))
    with pytest.raises(ReadError, match="without an image"):
        lb.read(tmp_path / "b.zarr")
    plate = zarr.create_group(tmp_path / "c.zarr", zarr_format=2)
    plate.attrs["plate"] = {}
    with pytest.raises(ReadError, match="plate"):
        lb.read(tmp_path / "c.zarr")


def test_damaged_zarr_chunk_names_the_folder(tmp_path, make):
    lb.write(tmp_path / "a.zarr", make("zyx", (3, 30, 30)))
    (chunk,) = (p for p in (tmp_path / "a.zarr" / "0" / "c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20])
    (volume,) = lb.read(tmp_path / "a.zarr")
    with pytest.raises(ReadError) as caught:
        np.asarray(volume.data)
    assert caught.value.subject.endswith("a.zarr")
    (tmp_path / "a.zarr" / "0" / "zarr.json").write_text("{")
    with pytest.raises(ReadError):
        lb.read(tmp_path / "a.zarr")


def test_changed_scale_beats_our_note(tmp_path, make):
    lb.write(tmp_path / "a.zarr", make("zyx", (3, 4, 5)), version="0.4")
    attributes = json.loads((tmp_path / "a.zarr" / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] = [9, 8, 7]
    (tmp_path / "a.zarr" / ".zattrs").write_text(json.dumps(attributes))
    assert lb.read(tmp_path / "a.zarr")[0].geometry.spacing == (9, 8, 7)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64", "float32", "bool"])
def test_halving(dtype):
    block = (RNG.normal(size=(5, 6)) * 40).astype(dtype)
    smaller = halved(block, (0, 1), labels=False)
    assert smaller.dtype == block.dtype
    assert smaller.shape == (3, 3)
    if dtype == "bool":
        np.testing.assert_array_equal(smaller, block[::2, ::2])
    else:
        inner = block[:4].astype(float).reshape(2, 2, 3, 2).mean((1, 3))
        assert np.abs(smaller[:2].astype(float) - inner).max() <= (0.5 if np.dtype(dtype).kind in "iu" else 1e-5)
        assert np.abs(smaller[2].astype(float) - block[4].astype(float).reshape(3, 2).mean(1)).max() <= 0.5
    np.testing.assert_array_equal(halved(block, (1,), labels=True), block[:, ::2])


def test_thick_slices_are_not_halved_and_places_stay():
    geometry = Geometry.of("zyx", (40, 600, 600), (5, 1, 1))
    assert halved_axes(geometry) == "yx"
    smaller = halved_geometry(geometry, "yx", labels=False)
    np.testing.assert_allclose(smaller.affine @ [0, 0, 0, 1], geometry.affine @ [0, 0.5, 0.5, 1])
    np.testing.assert_allclose(halved_geometry(geometry, "yx", labels=True).origin, geometry.origin)
    assert halved_axes(Geometry.of("zyx", (300, 300, 300))) == "zyx"
    assert halved_axes(Geometry.of("zyx", (3, 200, 200))) == ""
