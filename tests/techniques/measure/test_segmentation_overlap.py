"""Segmentation overlap: planted squares, ITK, scikit-learn's definitions, blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_lightbox.kernels.contingency import count_pairs, merge_pairs
from napari_lightbox.techniques.measure.segmentation_overlap import segmentation_overlap


def squares(shift):
    a, b = np.zeros((40, 40), np.int32), np.zeros((40, 40), np.int32)
    a[10:20, 10:20] = 1
    b[10:20, 10 + shift : 20 + shift] = 1
    return a, b


def random_labels(shape, seed, top=4):
    rng = np.random.default_rng(seed)
    return rng.integers(0, top, shape).astype(np.int32), rng.integers(0, top, shape).astype(np.int32)


@pytest.mark.parametrize("shift", [0, 1, 4, 9, 10, 15])
def test_shifted_squares_give_the_closed_form(shift):
    a, b = squares(shift)
    common = max(0, 10 - shift) * 10
    found = segmentation_overlap(a, b, label=1)
    assert found.dice == 2 * common / 200
    assert found.iou == common / (200 - common)
    assert found.iou == pytest.approx(found.dice / (2 - found.dice))
    assert segmentation_overlap(b, a, label=1)[:2] == found[:2]


@pytest.mark.parametrize("shape", [(30, 31), (6, 11, 12)])
def test_every_label_equals_itk(shape):
    sitk = pytest.importorskip("SimpleITK")
    prediction, truth = random_labels(shape, 0)
    measure = sitk.LabelOverlapMeasuresImageFilter()
    measure.Execute(sitk.GetImageFromArray(prediction), sitk.GetImageFromArray(truth))
    table = segmentation_overlap(prediction, truth).table
    assert table["label"].tolist() == [1, 2, 3]
    for row in table.rows():
        assert row["dice"] == pytest.approx(measure.GetDiceCoefficient(row["label"]), rel=1e-12)
        assert row["iou"] == pytest.approx(measure.GetJaccardCoefficient(row["label"]), rel=1e-12)
        assert segmentation_overlap(prediction, truth, label=row["label"]).dice == row["dice"]


def test_counts_in_the_table_are_set_sizes():
    prediction, truth = random_labels((25, 25), 1)
    for row in segmentation_overlap(prediction, truth).table.rows():
        a, b = prediction == row["label"], truth == row["label"]
        assert (row["prediction"], row["truth"], row["common"]) == (a.sum(), b.sum(), (a & b).sum())
        assert row["precision"] == pytest.approx((a & b).sum() / a.sum())
        assert row["recall"] == pytest.approx((a & b).sum() / b.sum())


def test_without_a_label_everything_but_background_is_one_object():
    prediction, truth = random_labels((25, 25), 2)
    found = segmentation_overlap(prediction, truth)
    assert found.dice == segmentation_overlap(prediction > 0, truth > 0, label=1).dice


def test_foreground_accuracy_is_recall_for_two_classes():
    prediction, truth = random_labels((30, 30), 3, top=2)
    found = segmentation_overlap(prediction, truth)
    assert found.foreground_accuracy == pytest.approx((prediction & truth).sum() / truth.sum())
    assert segmentation_overlap(np.ones_like(truth), truth).foreground_accuracy == 1
    many, true = random_labels((30, 30), 4)
    expected = (many == true)[true != 2].mean()
    assert segmentation_overlap(many, true, background=2).foreground_accuracy == pytest.approx(expected)


def test_two_empty_segmentations():
    nothing = np.zeros((5, 5), np.uint8)
    assert segmentation_overlap(nothing, nothing)[:3] == (1, 1, 1)
    assert segmentation_overlap(nothing, nothing, label=7, empty_value=0.0).dice == 0
    assert math.isnan(segmentation_overlap(nothing, nothing, empty_value=None).dice)
    assert len(segmentation_overlap(nothing, nothing).table) == 0
    assert segmentation_overlap(nothing, np.ones_like(nothing)).dice == 0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("spread", [1, 70000])
def test_blocks_merge_into_the_whole(dtype, spread):
    a, b = random_labels((20, 30), 5, top=2 if dtype is bool else 6)
    a, b = [(v * (spread if np.dtype(dtype).itemsize > 2 else 1)).astype(dtype) for v in (a, b)]
    mask = np.random.default_rng(6).random(a.shape) < 0.7
    whole = count_pairs(a, b, mask)
    parts = [count_pairs(a[r], b[r], mask[r]) for r in (slice(0, 7), slice(7, 8), slice(8, 20))]
    merged = merge_pairs(merge_pairs(parts[1], parts[2]), parts[0])
    np.testing.assert_array_equal(merged.pairs, whole.pairs)
    np.testing.assert_array_equal(merged.pixels, whole.pixels)
    assert whole.pixels.sum() == mask.sum()


def test_thousands_of_labels_need_no_square_table():
    a = np.arange(30000, dtype=np.int32).reshape(100, 300)
    counts = count_pairs(a, a[::-1])
    assert len(counts.pixels) == 30000
    assert segmentation_overlap(a, a).dice == 1
