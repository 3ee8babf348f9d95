"""Region properties: planted boxes, scikit-image, ITK, a ball, blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from napari_lightbox.axes import Geometry
from napari_lightbox.contract import Block
from napari_lightbox.techniques.measure.region_properties import region_properties

PASS = region_properties.technique.locality.passes[0]
EVERYTHING = {"background": 0, "perimeter": True, "feret": True}


def blobs(shape, seed=0):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    return measure.label(noise > np.quantile(noise, 0.7)).astype(np.int32)


def in_blocks(labels, image, sizes, spacing=None, mask=None, parameters=EVERYTHING):
    """Measure block by block and merge in a shuffled order."""
    geometry = Geometry.of("zyx"[-labels.ndim :], labels.shape, spacing)
    cuts = [range(0, n, s) for n, s in zip(labels.shape, sizes, strict=True)]
    states = []
    for start in itertools.product(*cuts):
        box = tuple(slice(a, a + s) for a, s in zip(start, sizes, strict=True))
        place = Block(start, labels.shape, start, labels[box].shape, geometry)
        layers = (labels[box], None if image is None else image[box])
        states.append(PASS.block(layers, None if mask is None else mask[box], None, parameters, place))
    order = np.random.default_rng(1).permutation(len(states))
    merged = states[order[0]]
    for i in order[1:]:
        merged = PASS.combine(merged, states[i])
    return merged


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(50, 60), (14, 20, 22)])
def test_equal_to_scikit_image(dtype, shape):
    labels = blobs(shape)
    image = (np.random.default_rng(2).random(shape) * 200).astype(dtype)
    table = region_properties(labels, image).table
    expected = measure.regionprops_table(
        labels,
        image.astype(float),
        properties=("label", "area", "centroid", "bbox", "intensity_mean", "intensity_std", "intensity_min", "intensity_max"),
    )
    assert table["label"].tolist() == expected["label"].tolist()
    assert table["pixels"].tolist() == expected["area"].tolist()
    for i, a in enumerate("zyx"[-labels.ndim :]):
        np.testing.assert_allclose(table[f"centroid_{a}"], expected[f"centroid-{i}"], rtol=1e-12)
        np.testing.assert_array_equal(table[f"first_{a}"], expected[f"bbox-{i}"])
        np.testing.assert_array_equal(table[f"last_{a}"] + 1, expected[f"bbox-{i + labels.ndim}"])
    for ours, theirs in (("mean", "mean"), ("std", "std"), ("minimum", "min"), ("maximum", "max")):
        np.testing.assert_allclose(table[ours].astype(float), expected[f"intensity_{theirs}"], rtol=1e-9, atol=1e-9)


def test_planted_boxes_give_the_closed_form():
    labels, image = np.zeros((12, 20, 30), np.uint16), np.zeros((12, 20, 30), np.uint16)
    labels[2:6, 3:9, 4:14], image[2:6, 3:9, 4:14] = 7, 1000
    labels[8:10, 15:19, 20:29], image[8:10, 15:19, 20:29] = 300, 60000
    image[8, 15:19, 20:29] = 50000
    state = in_blocks(labels, image, (5, 7, 11), spacing=(2.0, 0.5, 0.25))
    table, _ = region_properties(None, statistic=state)
    assert table["label"].tolist() == [7, 300]
    assert table["pixels"].tolist() == [240, 72]
    assert table["volume"].tolist() == [60.0, 18.0]
    assert [table[f"centroid_{a}"][0] for a in "zyx"] == [3.5, 5.5, 8.5]
    assert table["mean"].tolist() == [1000, 55000]
    assert table["std"].tolist() == [0, 5000]
    assert table["sum"].tolist() == [240000, 3960000]
    assert table["feret"][0] == pytest.approx(np.linalg.norm(np.array([3, 5, 9]) * (2, 0.5, 0.25)))
    assert table.units["volume"] == "pixel^3"


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize(("shape", "sizes"), [((40, 45), (7, 10)), ((12, 20, 22), (5, 20, 6)), ((9, 10, 11), (1, 3, 11))])
def test_blocks_merge_into_the_whole(dtype, shape, sizes):
    labels = blobs(shape)
    image = (np.random.default_rng(3).random(shape) * 60000).astype(dtype)
    mask = np.random.default_rng(4).random(shape) < 0.8
    spacing = (2.0, 0.7, 1.1)[-labels.ndim :]
    whole, _ = region_properties(None, statistic=in_blocks(labels, image, shape, spacing, mask))
    parts, _ = region_properties(None, statistic=in_blocks(labels, image, sizes, spacing, mask))
    assert list(parts) == list(whole)
    for name in whole:
        if dtype == "float32" and name in ("mean", "std", "sum"):  # float sums depend on their order
            np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9, err_msg=name)
        else:
            np.testing.assert_array_equal(parts[name], whole[name], err_msg=name)


def test_perimeter_equals_scikit_images_crofton_formula():
    labels = blobs((60, 70))
    table = region_properties(labels, perimeter=True, feret=True).table
    expected = measure.regionprops_table(labels, properties=("perimeter_crofton",))["perimeter_crofton"]
    np.testing.assert_allclose(table["perimeter"], expected, rtol=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.8)])
def test_a_ball_has_its_surface_and_diameter(spacing):
    grid = np.ogrid[-16:17, -32:33, -40:41]
    ball = sum((g * s) ** 2 for g, s in zip(grid, spacing, strict=True)) <= 15.0**2
    table, _ = region_properties(None, statistic=in_blocks(ball.astype(np.uint8), None, (10, 30, 81), spacing))
    assert table["surface"][0] == pytest.approx(4 * np.pi * 15**2, rel=0.03)
    assert table["volume"][0] == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)
    assert table["feret"][0] == pytest.approx(30, rel=0.02)


def test_feret_diameter_equals_itk():
    sitk = pytest.importorskip("SimpleITK")
    labels, spacing = blobs((12, 30, 34)), (3.0, 1.0, 1.5)
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(spacing[::-1])
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.ComputeFeretDiameterOn()
    shapes.Execute(image)
    table, _ = region_properties(None, statistic=in_blocks(labels, None, labels.shape, spacing))
    expected = [shapes.GetFeretDiameter(int(n)) for n in table["label"]]
    np.testing.assert_allclose(table["feret"], expected, rtol=1e-9)


def test_flat_regions_have_a_diameter():
    labels = np.zeros((3, 60, 60), np.uint8)
    labels[1] = 1
    table = region_properties(labels, feret=True).table
    assert table["feret"][0] == pytest.approx(59 * np.sqrt(2))


def test_boxes_lie_around_the_outermost_pixels():
    labels = np.zeros((20, 30), np.int64)
    labels[2:5, 3:9] = 2**40
    labels[10:20, 10:21] = 5
    found = region_properties(labels, boxes=True, min_area=100)
    assert found.table["label"].tolist() == [5]
    np.testing.assert_array_equal(found.boxes.data[0], [[9.5, 9.5], [9.5, 20.5], [19.5, 20.5], [19.5, 9.5]])
    assert found.boxes.kinds == ["rectangle"]
    assert region_properties(labels).table["label"].tolist() == [5, 2**40]
    assert region_properties(labels).boxes is None


def test_a_cuboids_frame_runs_along_all_twelve_edges():
    labels = np.zeros((6, 7, 8), np.uint8)
    labels[1:3, 2:5, 3:7] = 1
    path = region_properties(labels, boxes=True).boxes.data[0]
    edges = {frozenset((tuple(a), tuple(b))) for a, b in itertools.pairwise(path)}
    assert len(edges) == 12
    assert all(np.count_nonzero(np.subtract(*map(np.array, e))) == 1 for e in edges)


@pytest.mark.parametrize("background", [0, 2, -1])
def test_background_masks_and_emptiness(background):
    labels = np.random.default_rng(5).integers(0, 4, (9, 10)).astype(np.int16)
    table = region_properties(labels, background=background).table
    assert table["label"].tolist() == [v for v in range(4) if v != background]
    assert table["pixels"].tolist() == [(labels == v).sum() for v in range(4) if v != background]
    mask = np.zeros(labels.shape, bool)
    mask[:3] = True
    masked = region_properties(labels, None, mask).table
    assert masked["pixels"].sum() == np.count_nonzero(labels[:3])
    empty = region_properties(np.zeros((4, 4), np.int32), np.ones((4, 4)), boxes=True, perimeter=True, feret=True)
    assert len(empty.table) == 0
    assert len(empty.boxes.data) == 0


def test_missing_grey_values_are_seen():
    labels, image = np.array([[1, 1, 2, 2]]), np.array([[1.0, np.nan, 3.0, 5.0]])
    table = region_properties(labels, image).table
    assert np.isnan([table[n][0] for n in ("mean", "std", "minimum", "maximum")]).all()
    assert (table["mean"][1], table["std"][1]) == (4, 1)
