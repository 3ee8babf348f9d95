"""Layers as inputs: place, seeds from points, masks from shapes; labels as outputs."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Points, Shapes

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.axes.affine import inserted
from napari_lightbox.errors import AxesError, InputError
from napari_lightbox.io.layer_data import volume_from_layer_data
from napari_lightbox.widgets.label_ids import write_into
from napari_lightbox.widgets.layers import geometry_of, index_positions, name_axes, suggest_axes, volume_of
from napari_lightbox.widgets.placement import picture, placed
from napari_lightbox.widgets.values import points_as_seeds, shapes_as_mask

OBLIQUE = np.array([[0.0, 2.0, 0.0, 5.0], [1.5, 0.0, 0.0, -2.0], [0.0, 0.0, 3.0, 1.0], [0.0, 0.0, 0.0, 1.0]])


def test_affine_and_own_scale_are_combined() -> None:
    layer = Image(np.zeros((4, 5, 6)), scale=(2, 1, 1), translate=(1, 0, 0), affine=OBLIQUE, units=("mm",) * 3)
    geometry = geometry_of(layer, "zyx")
    corner = layer.data_to_world((3, 2, 1))
    np.testing.assert_allclose(geometry.affine @ [3, 2, 1, 1], [*corner, 1])
    assert geometry.units == ("mm",) * 3


def test_result_placement_repeats_the_layer_or_rebuilds_the_matrix() -> None:
    layer = Image(np.zeros((4, 5, 6)), scale=(2, 1, 1), translate=(1, 0, 0), affine=OBLIQUE)
    geometry = geometry_of(layer, "zyx")
    same = Image(np.zeros((4, 5, 6)), **placed(geometry, layer, "zyx"))
    np.testing.assert_array_equal(same.scale, layer.scale)
    np.testing.assert_array_equal(same.affine.affine_matrix, layer.affine.affine_matrix)
    rebuilt = Image(np.zeros((4, 5, 6)), **placed(geometry))
    np.testing.assert_allclose(geometry_of(rebuilt, "zyx").affine, geometry.affine, atol=1e-12)
    moved = geometry.crop((1, 2, 3), (2, 2, 2))
    np.testing.assert_allclose(geometry_of(Image(np.zeros((2, 2, 2)), **placed(moved, layer, "zyx")), "zyx").affine, moved.affine)


def test_a_tilted_result_says_where_it_really_lies() -> None:
    geometry = Geometry("tzyx", (2, 4, 5, 6), inserted(OBLIQUE, 0))
    layer = Image(np.zeros(geometry.shape), **placed(geometry))
    assert volume_of(layer).geometry == geometry
    assert not volume_of(layer).metadata
    same = Labels(np.zeros(geometry.shape, int), **placed(geometry, layer, "tzyx"))
    assert volume_of(same).geometry == geometry
    still = Points([[1, 2, 3]], **placed(geometry.select("zyx"), layer, "tzyx"))
    np.testing.assert_allclose(index_positions(still, still.data, layer), [[0, 1, 2, 3]], atol=1e-9)


def test_beside_a_layer_that_is_shown_obliquely_results_are_too() -> None:
    layer = Image(np.zeros((4, 5, 6)), affine=OBLIQUE)
    part = Image(np.zeros((2, 2, 2)), **placed(geometry_of(layer, "zyx").crop((1, 2, 3), (2, 2, 2)), layer, "zyx"))
    np.testing.assert_allclose(part.data_to_world((0, 0, 0)), layer.data_to_world((1, 2, 3)))


def test_axes_come_from_labels_or_are_guessed() -> None:
    layer = Image(np.zeros((4, 5, 6)))
    assert suggest_axes(layer) == ("zyx", True)
    name_axes(layer, "tyx")
    assert suggest_axes(layer) == ("tyx", False)
    assert volume_of(layer).axes == "tyx"
    assert suggest_axes(Image(np.zeros((5, 6, 3)), rgb=True)) == ("yxc", True)
    with pytest.raises(AxesError):
        name_axes(layer, "tt")
    with pytest.raises(AxesError, match="colours"):
        name_axes(Image(np.zeros((5, 6, 3)), rgb=True), "zyx")


def test_pyramid_gives_its_finest_level() -> None:
    levels = [np.ones((16, 16)), np.ones((8, 8))]
    assert volume_of(Image(levels, multiscale=True)).shape == (16, 16)


def test_metadata_of_the_layer_alone_is_not_inherited() -> None:
    metadata = {"patient": "A", "lightbox": {"preview": True}, "napari-lightbox": {"axes": "zyx"}}
    assert dict(volume_of(Image(np.zeros((4, 5)), metadata=metadata)).metadata) == {"patient": "A"}


def test_layers_and_files_agree_on_the_volume() -> None:
    layer = Image(np.zeros((4, 5, 6)), scale=(2, 1, 1), translate=(1, 0, 0), affine=OBLIQUE, rotate=30, units=("um",) * 3)
    assert volume_of(layer).geometry == volume_from_layer_data(*layer.as_layer_data_tuple()).geometry


def test_points_become_seeds_at_their_place_in_the_image() -> None:
    image = Image(np.zeros((10, 20, 20)), scale=(3, 1, 1), translate=(6, 0, 0))
    points = Points([[6 + 3 * 4, 5, 7], [6, 1, 2]], features={"label": [3, 9]})
    seeds = points_as_seeds(points, image, "zyx")
    assert {tuple(p): int(seeds.data[tuple(p)]) for p in np.argwhere(seeds.data)} == {(4, 5, 7): 3, (0, 1, 2): 9}
    with pytest.raises(InputError, match="no point inside"):
        points_as_seeds(Points([[100, 0, 0]]), image, "zyx")


def test_flat_shapes_mask_every_plane() -> None:
    image = Image(np.zeros((4, 30, 30)), scale=(1, 0.5, 0.5))
    shapes = Shapes([np.array([[5, 5], [5, 10], [10, 10], [10, 5]], float)], shape_type="rectangle")
    mask = np.asarray(shapes_as_mask(shapes, image, "zyx").data)
    assert mask.shape == (4, 30, 30)
    assert mask[:, 15, 15].all()
    assert not mask[:, 5, 15].any()
    assert (mask == mask[0]).all()


def test_positions_between_layers_of_different_dimension() -> None:
    image = Image(np.zeros((4, 30, 30)), scale=(2, 0.5, 0.5))
    np.testing.assert_allclose(index_positions(Points([[5, 10]]), [[5, 10]], image), [[0, 10, 20]])


def test_colour_that_napari_cannot_show_comes_first() -> None:
    volume = Volume(np.zeros((8, 9, 5), np.uint8), Geometry.of("yxc", (8, 9, 5)))
    data, geometry, rgb = picture(volume)
    assert (data.shape, geometry.axes, rgb) == ((5, 8, 9), "cyx", False)
    data, geometry, rgb = picture(Volume(np.zeros((8, 9, 3), np.uint8), Geometry.of("yxc", (8, 9, 3))))
    assert (data.shape, geometry.axes, rgb) == ((8, 9, 3), "yx", True)


def test_writing_refuses_what_it_would_break() -> None:
    layer = Labels(np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="shape"):
        write_into(layer, np.zeros((5, 5), np.int32), None)
    with pytest.raises(InputError, match="too small"):
        write_into(layer, np.full((4, 4), 300, np.int32), None)
    assert write_into(layer, np.eye(4, dtype=np.int32), None) == 4
    layer.undo()
    assert not layer.data.any()
