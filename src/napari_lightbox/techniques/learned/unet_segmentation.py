"""Segment with a trained U-Net, tile by tile, so that tiles equal the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np

from napari_lightbox.contract import Advanced, Channels, Dtype, Extent, ExtraAxis, Halo, OnlyIf, Range, Unit, Where, technique
from napari_lightbox.contract.roles import Image, Labels, Model
from napari_lightbox.errors import ParameterError
from napari_lightbox.models.cache import find_model

if TYPE_CHECKING:
    from napari_lightbox.models.card import ModelCard


def _classes(parameters: Mapping[str, Any]) -> int:
    return find_model(parameters["model"])[1].architecture.classes


class Prediction(NamedTuple):
    """Outputs of `unet_segmentation`."""

    labels: Labels
    probability: Annotated[Image, OnlyIf("full_prob"), ExtraAxis("l", _classes), Channels("drop"), Dtype("float32")]


def _radius(parameters: Mapping[str, Any], extent: Extent) -> tuple[int, ...]:
    plan = _fitting(parameters["model"], extent.ndim).architecture
    return (0,) * (extent.ndim - plan.ndim) + plan.halo


def _fitting(model: str, ndim: int) -> ModelCard:
    """Return the card of a model that can work over so many axes.

    Raises
    ------
    ParameterError
        The model works on volumes, the image is a plane.
    """
    card = find_model(model)[1]
    if card.architecture.ndim > ndim:
        raise ParameterError(
            "model", f"{card.name!r} works on volumes, this is a plane", "Give it a volume (z, y, x), or choose a 2D model"
        )
    return card


@technique(
    "unet_segmentation",
    title="U-Net segmentation",
    locality=Halo(_radius),
    channels="rgb",
    synonyms=("deep learning", "neural network", "semantic segmentation", "model", "convolutional network", "inference"),
)
def unet_segmentation(
    image: Image,
    model: Model,
    *,
    full_prob: bool = False,
    minimum_probability: Annotated[float, Range(0, 1, 0.05), Unit("fraction"), Advanced()] = 0.0,
    where: Where,
) -> Prediction:
    """Give every pixel the class that a trained U-Net finds most probable there.

    The network has learned from labels that somebody drew (see Train a U-Net, or `lightbox train`) and repeats that
    on images of the same kind: same contrast, same pixel size. A 2D model goes through a volume plane by plane, a 3D model sees
    all three axes. Images of any size are predicted tile by tile, with enough surroundings that no seams arise.

    Parameters
    ----------
    image
        Image of any size, gray or with the channels the model was trained on.
    model
        Name of a model in the cache folder, or the path of a model's folder or of a file in it.
    full_prob
        Also return the probability of every class, in the order of the model's classes.
    minimum_probability
        Pixels whose class is less probable than this become 0.

    Returns
    -------
    labels
        Label ids of the classes, as they were in the labels the model was trained with.
    probability
        One image per class.

    Raises
    ------
    InputError
        The image has other channels than the model was trained on.
    ParameterError
        There is no such model, it works on volumes and the image is a plane, or the device asked for is missing.
    ReadError
        A file of the model is missing or is not what its card says.
    MissingDependencyError
        PyTorch is not installed.
    MemoryForecastError
        Not even the smallest tile fits into memory.

    Notes
    -----
    Grey values are normalised with the constants of the model, never with those of a tile. NaN counts as the mean. Tiles
    differ from the whole by rounding only, below 1e-4 in probability. When memory runs out, tiles are halved and the run
    goes on.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, 2015,
    doi:10.1007/978-3-319-24574-4_28.
    """
    from napari_lightbox.models.load import load_predictor
    from napari_lightbox.models.predict import Part, normalised

    _fitting(model, len(where.whole))
    predictor, card = load_predictor(model)
    pixels = normalised(image, card.normalisation, len(where.whole))
    wanted = tuple((start, start + size) for start, size in zip(where.out_start, where.out_shape, strict=True))
    if card.architecture.ndim == 2 and len(where.whole) == 3:
        planes = np.moveaxis(pixels, 1, 0)[wanted[0][0] - where.start[0] : wanted[0][1] - where.start[0]]
        chances = np.moveaxis(predictor(planes, Part(where.start[1:], where.whole[1:], wanted[1:])), 0, 1)
    else:
        chances = predictor(pixels[np.newaxis], Part(where.start, where.whole, wanted))[0]
    ids = np.array([c.id for c in card.classes], np.int32)
    labels = ids[chances.argmax(axis=0)]
    if minimum_probability > 0:
        labels[chances.max(axis=0) < minimum_probability] = 0
    shape = image.shape[: len(where.whole)]
    place = tuple(slice(a - s, b - s) for (a, b), s in zip(wanted, where.start, strict=True))
    return Prediction(_framed(labels, shape, place), _framed(chances, shape, place) if full_prob else None)  # type: ignore[arg-type]


def _framed(values: Any, shape: tuple[int, ...], place: tuple[slice, ...]) -> Any:
    """Return values of the wanted part in an array as large as the block, which the engine cuts to that part."""
    if values.shape[-len(shape) :] == shape:
        return values
    block = np.zeros((*values.shape[: -len(shape)], *shape), values.dtype)
    block[(slice(None),) * (block.ndim - len(place)) + place] = values
    return block
