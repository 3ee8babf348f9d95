"""Volumes as napari layers and back, through napari's own layers and through the npe2 hooks."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import InputError
from napari_lightbox.io.layer_data import TILT, volume_from_layer_data, volume_to_layer
from napari_lightbox.io.napari_reader import get_reader
from napari_lightbox.io.napari_writer import write_image, write_labels, write_multiple

layers = pytest.importorskip("napari.layers")


def as_layer(volume: Volume):
    data, arguments, kind = volume_to_layer(volume, channels="axis")
    return getattr(layers, kind.capitalize())(data, **arguments)


@pytest.mark.parametrize(
    ("axes", "shape", "dtype", "role"),
    [
        ("zyx", (3, 8, 9), "int16", "image"), ("zyx", (3, 8, 9), "int32", "labels"),
        ("yxc", (8, 9, 3), "uint8", "image"),
        ("tzyxc", (2, 3, 8, 9, 4), "uint8", "image"), ("tczyx", (2, 2, 3, 8, 9), "uint16", "image"),
        ("xyz", (7, 8, 9), "float32", "image"),
    ],
)  # fmt: skip
def test_through_a_real_layer_and_back(make, axes, shape, dtype, role):
    volume = make(axes, shape, dtype, role)
    layer = as_layer(volume)
    again = volume_from_layer_data(*layer.as_layer_data_tuple())
    assert again.geometry == volume.geometry
    assert (again.role, again.name) == (role, "name")
    np.testing.assert_array_equal(again.data, volume.data)


def test_napari_places_voxels_where_we_do(make):
    volume = make("zyx", (3, 8, 9))
    layer = as_layer(volume)
    tilt = np.array(layer.metadata[TILT])
    for index in ((0, 0, 0), (2, 5, 7)):
        np.testing.assert_allclose(tilt @ [*layer.data_to_world(index), 1], volume.geometry.affine @ [*index, 1], atol=1e-9)
    assert [f"{u}" for u in layer.units] == ["millimeter"] * 3


SAGITTAL = np.array([[0, -0.5, 0, 3], [0, 0, 0.4, 4], [-3, 0, 0, 5], [0, 0, 0, 1.0]])


def test_planes_of_voxels_can_be_shown_and_painted(make):
    for geometry in (make("zyx", (3, 8, 9)).geometry, Geometry("zyx", (3, 8, 9), SAGITTAL)):
        layer = as_layer(Volume(np.zeros((3, 8, 9)), geometry))
        assert layer._slice_input.is_orthogonal(layer._transforms[1:].simplified.inverse)
        for index in ((2, 0, 0), (2, 7, 8), (2, 7, 0)):
            world = np.array(layer.data_to_world(index))
            slider = layer.data_to_world((2, 3, 3))[0]
            np.testing.assert_allclose(layer.world_to_data((slider, *world[1:])), index, atol=1e-9)
        np.testing.assert_allclose(np.abs(np.diag(layer.affine.linear_matrix)), 1)


def test_a_turn_within_the_plane_is_shown_as_it_is():
    turned = np.array([[2, 0, 0, 1], [0, 0.8, -0.6, 2], [0, 0.6, 0.8, 3], [0, 0, 0, 1.0]])
    layer = as_layer(Volume(np.zeros((3, 8, 9)), Geometry("zyx", (3, 8, 9), turned)))
    assert TILT not in layer.metadata
    np.testing.assert_allclose(layer.data_to_world((1, 2, 3)), (turned @ [1, 2, 3, 1])[:3])


def test_parts_of_a_tilted_volume_are_shown_on_it(make):
    geometry = make("zyx", (3, 8, 9)).geometry
    whole, part = (as_layer(Volume(np.zeros(g.shape), g)) for g in (geometry, geometry.crop((1, 2, 3), (2, 4, 4))))
    np.testing.assert_allclose(part.data_to_world((0, 0, 0)), whole.data_to_world((1, 2, 3)), atol=1e-9)


def test_straight_grids_use_scale_and_translate():
    geometry = Geometry.of("tzyx", (2, 3, 4, 5), (0.5, 2, 0.7, 0.7), (0, 1, 2, 3), ("s", "um", "um", "um"))
    _, arguments, _ = volume_to_layer(Volume(np.zeros((2, 3, 4, 5)), geometry))
    assert arguments["scale"] == (0.5, 2, 0.7, 0.7)
    assert arguments["translate"] == (0, 1, 2, 3)
    assert "affine" not in arguments
    assert arguments["units"] == ("second", "micrometer", "micrometer", "micrometer")
    assert arguments["axis_labels"] == ("t", "z", "y", "x")


def test_channels_are_split_and_named():
    from napari.components import ViewerModel

    data = np.arange(2 * 3 * 8 * 9, dtype="uint16").reshape(2, 3, 8, 9)
    volume = Volume(data, Geometry.of("czyx", data.shape, (2, 0.5, 0.5)), {"channels": ["DAPI", "GFP"]}, name="cells")
    shown, arguments, kind = volume_to_layer(volume)
    assert kind == "image"
    made = ViewerModel().add_image(shown, **arguments)
    assert [m.name for m in made] == ["cells DAPI", "cells GFP"]
    np.testing.assert_array_equal(made[1].data, data[1])
    np.testing.assert_allclose(made[1].scale, (2, 0.5, 0.5))


def test_levels_are_shown_only_for_the_array_they_belong_to(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (2, 600, 700)).astype("uint8")
    lb.write(tmp_path / "a.ome.zarr", Volume(da.from_array(data, chunks=(1, 256, 256)), Geometry("zyx", data.shape)))
    (volume,) = lb.read(tmp_path / "a.ome.zarr")
    levels, arguments, _ = volume_to_layer(volume)
    assert arguments["multiscale"] is True
    assert [lv.shape for lv in levels] == [(2, 600, 700), (1, 300, 350), (1, 150, 175)]
    layer = layers.Image(levels, **arguments)
    again = volume_from_layer_data(*layer.as_layer_data_tuple())
    assert again.geometry == volume.geometry
    changed, arguments, _ = volume_to_layer(volume.with_data(volume.data + 1))
    assert "multiscale" not in arguments
    assert changed.shape == (2, 600, 700)


def test_layers_made_by_hand():
    layer = layers.Image(np.zeros((4, 20, 30)), scale=(2, 1, 1), translate=(5, 0, 0), rotate=30)
    volume = volume_from_layer_data(*layer.as_layer_data_tuple())
    assert volume.axes == "zyx"
    assert volume.metadata["axes_guessed"] is True
    np.testing.assert_allclose(volume.geometry.affine @ [1, 2, 3, 1], [*layer.data_to_world((1, 2, 3)), 1])
    bare = volume_from_layer_data(np.zeros((8, 9), "uint8"), {"rotate": 90.0, "scale": (2, 3)}, "labels")
    np.testing.assert_allclose(bare.geometry.affine[:2, :2], [[0, -3], [2, 0]], atol=1e-12)
    sheared = volume_from_layer_data(np.zeros((8, 9)), {"shear": [0.5]}, "image")
    np.testing.assert_allclose(sheared.geometry.affine[:2, :2], [[1, 0.5], [0, 1]])
    with pytest.raises(InputError, match="points layer"):
        volume_from_layer_data(np.zeros((3, 2)), {"name": "p"}, "points")


def test_dark_is_bright_in_monochrome1():
    volume = Volume(np.zeros((4, 5)), Geometry("yx", (4, 5)), {"photometric": "MONOCHROME1"})
    assert volume_to_layer(volume)[1]["colormap"] == "gray_r"


def test_reader_hook(tmp_path, make):
    image, labels = make("zyx", (3, 8, 9)), make("zyx", (3, 8, 9), "int32", "labels")
    lb.write(tmp_path / "a.ome.zarr", image, labels)
    read = get_reader(str(tmp_path / "a.ome.zarr"))
    assert [(kind, type(data).__module__.split(".")[0]) for data, _, kind in read(str(tmp_path / "a.ome.zarr"))] == [
        ("image", "dask"),
        ("labels", "dask"),
    ]
    (tmp_path / "a.txt").write_text("text")
    lb.write(tmp_path / "t.csv", Table({"a": np.arange(2)}))
    for name in ("a.txt", "t.csv", "missing.nii"):
        assert get_reader(str(tmp_path / name)) is None
    assert get_reader("https://example.org/a.nii") is None
    lb.write(tmp_path / "b.nii", image)
    paths = [str(tmp_path / "b.nii"), str(tmp_path / "a.ome.zarr")]
    assert len(get_reader(paths)(paths)) == 3


def test_writer_hooks(tmp_path, make):
    image, labels = make("zyx", (3, 8, 9)), make("zyx", (3, 8, 9), "int32", "labels")
    tuples = [as_layer(v).as_layer_data_tuple() for v in (image, labels)]
    path = str(tmp_path / "a.ome.zarr")
    assert write_multiple(path, tuples) == [path]
    found = lb.read(path)
    assert [v.role for v in found] == ["image", "labels"]
    assert all(v.geometry == image.geometry for v in found)
    for hook, (data, attributes, kind), name in ((write_image, tuples[0], "i.nii.gz"), (write_labels, tuples[1], "l.nii.gz")):
        assert hook(str(tmp_path / name), data, attributes) == [str(tmp_path / name)]
        (volume,) = lb.read(tmp_path / name)
        assert volume.role == kind
        np.testing.assert_array_equal(np.asarray(volume.data), data)
