"""Overlap of two segmentations."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import GlobalThenPointwise, Pass, Range, Statistic, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Labels, Mask, Table, Value
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.kernels.contingency import Contingency, count_pairs, merge_pairs


class Overlap(NamedTuple):
    """Scores of the chosen label and a row per label."""

    dice: Value
    iou: Value
    foreground_accuracy: Value
    table: Table


def _block(layers: tuple[Any, ...], mask: Any, previous: Any, p: Parameters) -> Contingency:
    return count_pairs(layers[0], layers[1], mask)


@technique(
    "segmentation_overlap",
    title="Segmentation overlap",
    locality=GlobalThenPointwise((Pass(_block, merge_pairs, joint=True),)),
    synonyms=("Dice coefficient", "F1 score", "IoU", "Jaccard index", "foreground accuracy"),
)
def segmentation_overlap(
    prediction: Labels,
    truth: Labels,
    mask: Mask | None = None,
    *,
    label: int | None = None,
    background: int = 0,
    empty_value: Annotated[float | None, Range(0, 1)] = 1.0,
    scope: Literal["layer", "element", "plane"] = "layer",
    statistic: Statistic = None,
) -> Overlap:
    """Measure how well a segmentation agrees with the truth, label by label.

    Dice is twice the common size divided by the sum of both sizes, IoU the common size divided by that of the union;
    both are 1 for equal and 0 for disjoint objects. Ids are compared as they are: the same object must have the same
    label in both.

    Parameters
    ----------
    prediction
        Labels to judge.
    truth
        Reference labels on the same grid.
    mask
        Pixels that count; all when left out.
    label
        Label that the scores are for. None takes everything that is not background as one object.
    background
        Label that is no object.
    empty_value
        Score when neither segmentation has a pixel of the label; None gives not a number.
    scope
        Pool the pixels of the whole layer, or score each time point and channel, or each plane, by itself. The mean of
        the latter is not the former.

    Returns
    -------
    dice
        Dice coefficient of the chosen label.
    iou
        Intersection over union, equal to dice / (2 - dice).
    foreground_accuracy
        Share of the truth's pixels that are not background and are predicted with the right label.
    table
        Per label: pixels in the prediction, in the truth and in both, Dice, IoU, precision and recall.

    References
    ----------
    L. R. Dice, "Measures of the amount of ecologic association between species", https://doi.org/10.2307/1932409;
    ITK ``LabelOverlapMeasuresImageFilter``; fastai ``Dice`` and ``foreground_acc``.
    """
    counts = count_pairs(prediction, truth, mask) if statistic is None else statistic
    nothing = np.nan if empty_value is None else empty_value
    a, b = counts.pairs.T
    chosen = [side != background if label is None else side == label for side in (a, b)]
    sizes = [int(counts.pixels[side].sum()) for side in chosen]
    common = int(counts.pixels[chosen[0] & chosen[1]].sum())
    foreground = b != background
    right = int(counts.pixels[foreground & (a == b)].sum())
    return Overlap(
        _share(2 * common, sum(sizes), nothing),
        _share(common, sum(sizes) - common, nothing),
        _share(right, int(counts.pixels[foreground].sum()), nothing),
        _per_label(counts, background),
    )


def _share(part: int, whole: int, nothing: float) -> float:
    return part / whole if whole else nothing


def _per_label(counts: Contingency, background: int) -> TableValue:
    a, b = counts.pairs.T
    labels = np.union1d(a, b)
    labels = labels[labels != background]
    predicted, true, common = (_sizes(counts, chosen, labels) for chosen in ((a,), (b,), (a, b)))
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "label": labels,
            "prediction": predicted,
            "truth": true,
            "common": common,
            "dice": 2 * common / (predicted + true),
            "iou": common / (predicted + true - common),
            "precision": common / predicted,
            "recall": common / true,
        }
    return TableValue(columns)


def _sizes(counts: Contingency, sides: tuple[NDArray[Any], ...], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many pixels have each label on all the given sides."""
    agree = np.isin(sides[0], labels) & (sides[0] == sides[-1])
    place = np.searchsorted(labels, sides[0][agree])
    sizes = np.zeros(len(labels), np.int64)
    np.add.at(sizes, place, counts.pixels[agree])
    return sizes
