"""K-means colour segmentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import (
    Advanced,
    Block,
    Channels,
    GlobalThenPointwise,
    Pass,
    Range,
    Statistic,
    Where,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels, Mask, Table
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.kmeans import Codebook, Sample, fit, lowest_pixels, merge_samples, nearest_centre

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


class Clusters(NamedTuple):
    """Cluster of every pixel, and what the clusters are."""

    labels: Annotated[Labels, Channels("drop")]
    centroids: Table


def _draw(image: Any, mask: Any, previous: Any, parameters: Parameters, where: Block) -> Sample:
    """Return a block's share of the sample."""
    values = _channels(image, where)
    size = parameters["n_samples"]
    keys, places = lowest_pixels(values, _usable(values, mask), where.start, where.whole, size, parameters["seed"])
    chosen = values.reshape(-1, values.shape[-1])[places]
    colour = _coloured(chosen, parameters["colour"]).astype(np.float64)
    at = np.stack(np.unravel_index(places, values.shape[:-1]), axis=-1)
    if parameters["position_weight"]:
        return Sample(keys, np.hstack((colour, _placed(at, where, parameters["position_weight"]))), size, colour.shape[1])
    return Sample(keys, colour, size, colour.shape[1])


def _finish(sample: Sample, parameters: Parameters) -> Codebook:
    """Fit the codebook and put it in the order of luminance."""
    count = parameters["n_clusters"]
    distinct = len(np.unique(sample.features, axis=0))
    if distinct < count:
        found = f"holds {distinct} different values in the sample, fewer than {count} clusters"
        raise InputError("image", found, "Ask for fewer clusters or check the mask")
    book = fit(sample.features, count, parameters["start"], parameters["n_init"], parameters["seed"])
    rgb = sample.channels == 3 and parameters["colour"] == "RGB"
    brightness = book.centres[:, :3] @ _LUMINANCE if rgb else book.centres[:, 0]
    order = np.lexsort((*book.centres.T[::-1], brightness))
    return Codebook(book.centres[order], book.counts[order], book.inertia[order])


@technique(
    "kmeans_segmentation",
    title="K-means colour segmentation",
    locality=GlobalThenPointwise(passes=(Pass(_draw, merge_samples, positioned=True),), finish=_finish),
    channels="rgb",
    synonyms=("colour clustering", "colour quantisation", "unsupervised segmentation"),
)
def kmeans_segmentation(
    image: Image,
    mask: Mask | None = None,
    *,
    n_clusters: Annotated[int, Range(2, 255)] = 2,
    colour: Literal["RGB", "Lab"] = "RGB",
    position_weight: Annotated[float, Range(0)] = 0.0,
    n_samples: Annotated[int, Range(10, 1_000_000), Advanced()] = 1000,
    start: Annotated[Literal["k-means++", "random"], Advanced()] = "k-means++",
    n_init: Annotated[int, Range(1, 100), Advanced()] = 3,
    seed: Annotated[int, Range(0, 2**62), Advanced()] = 0,
    scope: Annotated[Literal["layer", "element", "plane"], Advanced()] = "layer",
    where: Where,
    statistic: Statistic,
) -> Clusters:
    """Sort pixels into a few classes of similar colour or grey value, without examples.

    The classes are the clusters of the colours themselves. Use it to get a first segmentation of a picture with few
    distinct colours, a stained section or a multi-modal threshold; classes ignore where a pixel lies unless the position
    is given a weight.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), gray or RGB, any real type. A fourth channel (opacity) is ignored.
    mask
        Where to sample and to label; everything else is 0.
    n_clusters
        Number of classes.
    colour
        Space in which colours are compared. Lab is closer to the eye; integers are taken as parts of their full range,
        floats as 0 to 1. Gray images stay as they are.
    position_weight
        Grey values (or Lab units) per physical unit of distance: how much nearness counts beside colour; 0 not at all.
    n_samples
        Number of pixels from which the classes are learned.
    start
        First centres: k-means++ spreads them, random draws them.
    n_init
        Number of runs from different first centres; the best is kept.
    seed
        Number that decides the sample and the first centres.
    scope
        What shares one set of classes: the layer (the same ids over a whole video), each element or each plane.

    Returns
    -------
    labels
        1 for the darkest class to n_clusters for the brightest; 0 outside the mask and on non-finite pixels.
    centroids
        One row per class: label, centre, number of sampled pixels, and their summed squared distance to it (inertia).

    Raises
    ------
    InputError
        Fewer different colours in the sample than clusters, an empty mask included.

    Notes
    -----
    The sample is the pixels whose scrambled position, value and seed come out lowest, so that it is the same however the
    image is cut; what stays exactly the same from frame to frame counts once. Lloyd's iterations run until no sample
    changes its class. Ties go to the darker class.

    References
    ----------
    S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982), doi:10.1109/TIT.1982.1056489;
    D. Arthur, S. Vassilvitskii, "k-means++", SODA 2007. A local minimum, as scikit-learn ``KMeans`` finds on the same sample.
    """
    book: Codebook = statistic
    values = _channels(image, where)
    features = _coloured(values, colour)
    channels = features.shape[-1]
    if position_weight:
        grid = np.moveaxis(np.indices(values.shape[:-1]), 0, -1)
        features = np.concatenate((features.astype(np.float64), _placed(grid, where, position_weight)), axis=-1)
    labels = nearest_centre(features, _usable(values, mask), book.centres)
    return Clusters(labels, _table(book, channels, colour))


def _channels(image: NDArray[Any], where: Block) -> NDArray[Any]:
    """Return the image with one last axis for its channels; the alpha of RGBA is left out."""
    if image.ndim == len(where.whole):
        return image[..., np.newaxis]
    return image[..., :3] if image.shape[-1] == 4 else image


def _usable(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    inside = np.ones(values.shape[:-1], bool) if mask is None else mask
    if values.dtype.kind != "f":
        return inside
    finite = np.isfinite(values[..., 0]) if values.shape[-1] == 1 else np.isfinite(values).all(axis=-1)
    return np.asarray(inside & finite)


def _coloured(values: NDArray[Any], colour: str) -> NDArray[Any]:
    """Return colours (..., 3) in the space asked for; one channel stays as it is."""
    if colour == "RGB" or values.shape[-1] != 3:
        return values
    import cv2

    full = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
    unit = (values.astype(np.float32) / np.float32(full)).reshape(1, -1, 3)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab)).reshape(values.shape)


def _placed(at: NDArray[Any], where: Block, weight: float) -> NDArray[np.float64]:
    """Return weighted physical coordinates of the indices `at` of a block."""
    return np.asarray((at + np.array(where.start)) * (weight * np.array(where.geometry.spacing)))


def _table(book: Codebook, channels: int, colour: str) -> TableValue:
    names = ["value"] if channels == 1 else [f"channel_{i}" for i in range(channels)]
    if channels == 3:
        names = list("RGB") if colour == "RGB" else ["L", "a", "b"]
    places = ["z", "y", "x"][channels - book.centres.shape[1] :] if book.centres.shape[1] > channels else []
    columns = {"label": np.arange(1, len(book.centres) + 1, dtype=np.int32)}
    columns |= dict(zip([*names, *(f"weighted_{axis}" for axis in places)], book.centres.T, strict=True))
    return TableValue({**columns, "samples": book.counts, "inertia": book.inertia})
