"""Connected components labelling."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, MergeLabels, Range, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.label import label


def _connectivity(p: Parameters, ndim: int) -> int:
    return int(p["connectivity"])


def _check(p: Parameters, ndim: int) -> None:
    if p["connectivity"] > ndim:
        raise ParameterError("connectivity", f"{p['connectivity']} does not exist in {ndim}D", f"Give 1 to {ndim}")
    if p["method"] == "opencv" and ndim != 2:
        raise ParameterError("method", "OpenCV labels planes only", "Choose 'union_find', or run plane by plane")


@technique(
    "connected_components",
    title="Connected components",
    locality=MergeLabels(_connectivity),
    synonyms=("label", "bwlabel", "blob labelling", "islands"),
    check=_check,
)
def connected_components(
    mask: Labels,
    *,
    connectivity: Annotated[int, Range(1, 3)] = 1,
    background: int = 0,
    method: Annotated[Literal["union_find", "two_pass", "skimage", "scipy", "opencv"], Advanced()] = "union_find",
) -> Labels:
    """Give every group of touching pixels with equal values its own number.

    Turns a mask into objects that can be counted and measured, and splits a label image whose regions lie apart into
    one label per region. `region_properties` on the result gives count, areas, boxes and centroids.

    Parameters
    ----------
    mask
        Mask or label image (y, x) or (z, y, x). Pixels belong together when they touch and their values are equal.
    connectivity
        How many axes two touching pixels may differ along: 1 is faces (4 neighbours in 2D, 6 in 3D), 2 adds edges
        (8 in 2D, 18 in 3D), 3 adds corners (26).
    background
        The one value that stays unlabelled and becomes 0. 0 labels the foreground; 1 on a mask labels its holes and
        surroundings, and then 0 counts as foreground.
    method
        Algorithm: union_find joins runs of pixels and is the fastest, two_pass resolves a table of equivalences,
        the others call the library. All give the same numbers; opencv works on planes only.

    Returns
    -------
    labels
        int32, consecutive from 1 in the raster order of each object's first pixel.

    Raises
    ------
    ParameterError
        Connectivity beyond the number of axes, or OpenCV asked for a volume.

    Notes
    -----
    Blocks are labelled alone and joined across their faces, so that the cost grows linearly with the number of blocks.

    References
    ----------
    K. Wu, E. Otoo, K. Suzuki, "Optimizing two-pass connected-component labeling algorithms",
    https://doi.org/10.1007/s10044-008-0109-y; scikit-image ``measure.label``; scipy.ndimage ``label``; OpenCV
    ``connectedComponents``.
    """
    _check({"connectivity": connectivity, "method": method}, mask.ndim)
    if method == "union_find":
        return label(mask, connectivity, background)[0]
    if method == "two_pass":
        return _two_pass(mask, connectivity, background)
    if method == "skimage":
        from skimage import measure

        return np.asarray(measure.label(mask, background=background, connectivity=connectivity), dtype=np.int32)
    return _per_value(mask, background, _scipy_components if method == "scipy" else _opencv_components, connectivity)


def _two_pass(values: NDArray[Any], connectivity: int, background: int) -> NDArray[np.int32]:
    """Note which touching pixels are equivalent, then resolve the table."""
    from scipy import sparse

    numbers = np.arange(values.size).reshape(values.shape)
    table = []
    for step in itertools.product((-1, 0, 1), repeat=values.ndim):
        if not 0 < sum(map(abs, step)) <= connectivity or step < (0,) * values.ndim:
            continue
        here = tuple(slice(max(-s, 0), n - max(s, 0)) for s, n in zip(step, values.shape, strict=True))
        there = tuple(slice(max(s, 0), n - max(-s, 0)) for s, n in zip(step, values.shape, strict=True))
        same = (values[here] == values[there]) & (values[here] != background)
        table.append(np.stack([numbers[here][same], numbers[there][same]]))
    pairs = np.concatenate(table, axis=1)
    graph = sparse.coo_array((np.ones(pairs.shape[1], bool), tuple(pairs)), shape=(values.size, values.size))
    _, classes = sparse.csgraph.connected_components(graph, directed=False)
    return _renumbered(np.where(values == background, -1, classes.reshape(values.shape)))


def _per_value(
    values: NDArray[Any], background: int, components: Callable[[NDArray[np.bool_], int], NDArray[Any]], connectivity: int
) -> NDArray[np.int32]:
    """Label one value after the other with a routine that knows masks only."""
    classes = np.full(values.shape, -1, np.int64)
    for value in np.unique(values):
        if value != background:
            found = components(values == value, connectivity)
            inside = found > 0
            classes[inside] = found[inside] + classes.max() + 1
    return _renumbered(classes)


def _renumbered(classes: NDArray[Any]) -> NDArray[np.int32]:
    """Return labels by the raster order of each class's first pixel; negative classes become 0."""
    found, first, inverse = np.unique(classes, return_index=True, return_inverse=True)
    foreground = found >= 0
    numbers = np.zeros(len(found), np.int32)
    numbers[np.flatnonzero(foreground)[np.argsort(first[foreground])]] = np.arange(1, foreground.sum() + 1)
    return numbers[inverse].reshape(classes.shape)


def _scipy_components(mask: NDArray[np.bool_], connectivity: int) -> NDArray[Any]:
    from scipy import ndimage

    return np.asarray(ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, connectivity))[0])


def _opencv_components(mask: NDArray[np.bool_], connectivity: int) -> NDArray[Any]:
    import cv2

    return np.asarray(cv2.connectedComponents(mask.astype(np.uint8), connectivity=4 * connectivity)[1])
