"""Trainable pixel classifier from scribbles."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import (
    Advanced,
    Block,
    Channels,
    Dtype,
    Extent,
    ExtraAxis,
    GlobalThenPointwise,
    OnlyIf,
    Pass,
    Range,
    Spacing,
    Statistic,
    Unit,
    VisibleIf,
    Where,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels, Model, ModelValue, Seeds, Table
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.classifier_training import Kind
from napari_lightbox.kernels.pixel_features import GROUPS, Colour, FeatureSet, check_choice, halo
from napari_lightbox.kernels.pixel_model import PixelModel, load_pixel_model
from napari_lightbox.kernels.pixel_prediction import classify
from napari_lightbox.kernels.pixel_samples import Samples, draw_samples
from napari_lightbox.kernels.pixel_training import compare_kinds, continued, fit_model


def _class_count(p: Parameters) -> int | None:
    """Return the number of classes where a model alone says it; scribbles may hold more."""
    return len(load_pixel_model(p["model"]).classes) if p.get("model") and "seeds" not in p["inputs"] else None


class Classified(NamedTuple):
    """The class of every pixel, the probability of each class, the model, and how the kinds of models compare."""

    labels: Annotated[Labels, Channels("drop")]
    probabilities: Annotated[Image | None, OnlyIf("full_prob"), ExtraAxis("l", _class_count), Dtype("float32"), Channels("drop")]
    model: Annotated[ModelValue | None, OnlyIf("keep_model")]
    comparison: Annotated[Table | None, OnlyIf("compare")]


class Trained(NamedTuple):
    """What the scribbles gave."""

    model: PixelModel
    comparison: TableValue | None


def _groups(p: Parameters) -> tuple[str, ...]:
    return tuple(g for g in GROUPS if p[g])


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    if p.get("model"):
        return load_pixel_model(p["model"]).features.radius(extent.spacing)
    finest = min(extent.spacing) if p["unit"] == "px" else 1.0
    return halo(_groups(p), p["sigmas"], [s / finest for s in extent.spacing])


def _features(p: Parameters, ndim: int, channels: int) -> FeatureSet:
    if p.get("model"):
        model = load_pixel_model(p["model"])
        model.check_image(channels, ndim)
        return model.features
    return FeatureSet(_groups(p), tuple(p["sigmas"]), p["unit"], ndim, channels, p["colour"])


def _own(where: Block) -> tuple[slice, ...]:
    """Return the part of a block that is its own, without its neighbourhood."""
    corner = [o - s for o, s in zip(where.out_start, where.start, strict=True)]
    return tuple(slice(c, c + n) for c, n in zip(corner, where.out_shape, strict=True))


def _draw(blocks: Any, mask: Any, previous: Any, p: Parameters, where: Block) -> Samples:
    """Return a block's share of the samples."""
    image, seeds = blocks
    ndim = len(where.whole)
    features = _features(p, ndim, image.shape[-1] if image.ndim > ndim else 1)
    spacing = where.geometry.spacing
    seeds = np.where(_finite(image, ndim), seeds, 0) if image.dtype.kind == "f" else seeds
    return draw_samples(image, seeds, _own(where), where.start, where.whole, features, spacing, p["samples"], p["seed"])


def _merge(a: Samples, b: Samples) -> Samples:
    from napari_lightbox.kernels.pixel_samples import merge_samples

    return merge_samples(a, b)


def _train(samples: Samples | None, p: Parameters) -> Trained:
    """Return the model that scribbles, a file, or both give."""
    known = load_pixel_model(p["model"]) if p.get("model") else None
    if samples is None:
        if known is None:
            raise InputError("seeds", "hold no painted pixel, and no model is given", "Paint two classes, or choose a model")
        return Trained(known, _compared(known.samples, p))
    if known is not None:
        samples = continued(known, samples)
    model = fit_model(samples, p["classifier"], p["trees"], p["depth"], p["seed"])
    return Trained(model, _compared(samples, p))


def _compared(samples: Samples, p: Parameters) -> TableValue | None:
    return compare_kinds(samples, p["trees"], p["depth"], p["seed"]) if p["compare"] else None


def _check(p: Parameters, ndim: int) -> None:
    check_choice(_groups(p), p["sigmas"])


@technique(
    "pixel_classifier",
    title="Trainable pixel classifier",
    locality=GlobalThenPointwise(
        passes=(Pass(_draw, _merge, positioned=True, joint=True, around=True, only="seeds"),), finish=_train, radius=_radius
    ),
    channels="rgb",
    synonyms=("random forest", "supervised pixel segmentation", "trainable segmentation", "machine learning", "ilastik", "Weka"),
    check=_check,
)
def pixel_classifier(
    image: Image,
    seeds: Seeds | None = None,
    model: Model | None = None,
    *,
    classifier: Kind = "random forest",
    sigmas: Annotated[tuple[float, ...], Unit("px")] = (1.0, 2.0, 4.0, 8.0),
    unit: Literal["px", "physical"] = "px",
    intensity: bool = True,
    gaussian: bool = True,
    gradient: bool = True,
    hessian: bool = True,
    laplacian: bool = False,
    difference: bool = False,
    structure: bool = False,
    colour: Colour = "as is",
    full_prob: bool = False,
    keep_seeds: bool = True,
    keep_model: bool = False,
    compare: bool = False,
    trees: Annotated[int, Range(1, 1000), Advanced(), VisibleIf("classifier", "random forest", "gradient boosting")] = 100,
    depth: Annotated[int | None, Range(1, 64), Advanced()] = None,
    samples: Annotated[int, Range(10, 1_000_000), Advanced()] = 500,
    seed: Annotated[int, Range(0, 2**31 - 1), Advanced()] = 0,
    scope: Annotated[Literal["layer", "element"], Advanced()] = "layer",
    spacing: Spacing = (1.0, 1.0, 1.0),
    where: Where,
    statistic: Statistic,
) -> Classified:
    """Learn from a few scribbles what kinds of pixels there are, and find them everywhere.

    Paint some pixels of each class with an id of its own. Grey value, edges and texture around them at several scales teach
    a classifier, which then names the class of every other pixel. Use it where a threshold fails: uneven light, textures,
    stains, several tissues. It works pixel by pixel and does not know objects: split touching ones afterwards.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type; all channels are used.
    seeds
        Labels: ids above 0 are classes, two of them at least; 0 is unknown; pixels below 0 are left out of the result.
    model
        Model file of an earlier run. Alone it classifies as it was taught. Together with seeds, the new scribbles are added to
        those it was taught with: so one classifier learns from several images. Features, scales and colour are the model's.
    classifier
        What learns. random forest: the best first choice. gradient boosting: sometimes sharper, slower to train. decision
        tree: quickest. naive Bayes: a few scribbles and simple classes. nearest neighbours: slow, follows odd shapes.
    sigmas
        Scales, from the size of the finest detail that tells classes apart to that of the coarsest; usually 1 to 16. Larger ones
        take longer and look further.
    unit
        Whether the scales are in pixels of the finest axis or in the layer's physical units. Either way thick slices are taken
        as such.
    intensity
        Look at the grey value itself.
    gaussian
        Look at the blurred grey value.
    gradient
        Look at the strength of edges (Sobel, of the blurred image).
    hessian
        Look at ridges, valleys and blobs (eigenvalues of the second derivatives).
    laplacian
        Look at the Laplacian of Gaussian: spots.
    difference
        Look at the difference to the next finer scale: bands of detail.
    structure
        Look at the main directions of the texture (eigenvalues of the structure tensor); slow in 3D.
    colour
        What becomes of red, green and blue first: nothing, brightness with two colour differences, or these differences alone,
        which ignore light and shade.
    full_prob
        Also return the probability of every class at every pixel.
    keep_seeds
        Leave painted pixels as they were painted.
    keep_model
        Also return the model, to be saved and used on other images.
    compare
        Also measure how well each kind of classifier does on scribbles that were held back.
    trees
        Number of trees of the forest, rounds of boosting.
    depth
        Most decisions in a row; None is no limit, and 3 for boosting.
    samples
        Most pixels learned from per class, chosen at random.
    seed
        Number that decides everything random.
    scope
        What shares one model: the layer (all frames), or each element by itself.

    Returns
    -------
    labels
        The id of the most probable class, the smallest one among equals. 0 where the image is not finite.
    probabilities
        One image per class, in ascending order of the ids; they add up to 1 wherever a label is.
    model
        What was learned, as a value; the command line writes it beside the labels, ``write_model`` from Python.
    comparison
        One row per kind of classifier: share of right answers, its mean over the classes, and that of the worst class.

    Raises
    ------
    InputError
        Neither seeds nor a model, seeds of one class only, or a model of an image with other channels or axes.
    ReadError
        The model file is missing, damaged or holds something else.

    Notes
    -----
    Features are taken of boxes around the scribbles for training, and of each block when it is looked at; never of the
    whole image at once. Four of the largest scale, rounded up, is how far they look, and the Gaussian is cut off one sample
    before. The image is reflected at its border; values that are not finite count as 0 there. Classes have equal weight,
    however much is painted of each. Training and result are the same bits however the image is cut. Models hold the learned
    pixels' features, not the pixels.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45 (2001), doi:10.1023/A:1010933404324; scikit-learn
    ``RandomForestClassifier``, whose probabilities are met exactly. S. Berg et al., "ilastik: interactive machine learning for
    (bio)image analysis", Nature Methods 16 (2019), doi:10.1038/s41592-019-0582-9.
    """
    trained: Trained = statistic
    ndim = len(where.whole)
    trained.model.check_image(image.shape[-1] if image.ndim > ndim else 1, ndim)
    own = _own(where)
    found, chances = classify(image, own, trained.model, spacing[-ndim:], full_prob)
    left_out = ~_finite(image[own], ndim) if image.dtype.kind == "f" else None
    if seeds is not None:
        painted = seeds[own]
        if keep_seeds:
            np.copyto(found, painted, where=painted > 0, casting="unsafe")
        if painted.dtype.kind == "i" and (painted < 0).any():
            left_out = painted < 0 if left_out is None else left_out | (painted < 0)
    if left_out is not None:
        found[left_out] = 0
        chances[:, left_out] = 0
    first = not any(where.out_start)
    kept = trained.model.to_value() if keep_model and first else None
    shares = _placed(chances, own, image.shape[:ndim]) if full_prob else None
    return Classified(_placed(found[np.newaxis], own, image.shape[:ndim])[0], shares, kept, trained.comparison if first else None)


def _finite(image: NDArray[Any], ndim: int) -> NDArray[np.bool_]:
    """Return where all channels are finite."""
    finite = np.isfinite(image)
    return np.asarray(finite.all(axis=-1) if image.ndim > ndim else finite)


def _placed(values: NDArray[Any], own: tuple[slice, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return values of a box inside a block of zeros."""
    if values.shape[1:] == shape:
        return values
    block = np.zeros((len(values), *shape), values.dtype)
    block[(slice(None), *own)] = values
    return block
