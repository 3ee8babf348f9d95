"""Inpainting by biharmonic continuation."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Volume, technique
from napari_lightbox.contract.roles import Image, Mask
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.footprint import make_footprint
from napari_lightbox.kernels.grid_operator import biharmonic_entries
from napari_lightbox.kernels.label import label
from napari_lightbox.kernels.morphology import dilate
from napari_lightbox.kernels.rounding import to_dtype


@technique(
    "inpaint_biharmonic",
    title="Inpaint (biharmonic)",
    locality=Volume(),
    channels="rgb",
    synonyms=("fill holes smoothly", "interpolate missing pixels", "thin plate"),
)
def inpaint_biharmonic(
    image: Image,
    mask: Mask,
    *,
    split_into_regions: Annotated[bool, Advanced()] = False,
) -> Image:
    """Fill the masked pixels with the smoothest continuation of values and slopes around them.

    Solves the biharmonic equation in the holes, so that shading runs through without a seam. Use it for missing or
    saturated pixels and holes of moderate size, in planes and in volumes; texture is not invented.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), gray or colour, any real type.
    mask
        Pixels to fill.
    split_into_regions
        Solve one hole after the other: less memory for many large holes, the same result to rounding.

    Returns
    -------
    image
        Same shape and type, filled values rounded for integer types and kept within the range of the known values;
        pixels outside the mask are the input's, bit for bit.

    Raises
    ------
    InputError
        The mask covers the whole image.

    Notes
    -----
    Solved in double precision with a direct sparse solver: time and memory grow faster than the number of masked pixels,
    most of all for thick holes in volumes. Voxels count as cubes.

    References
    ----------
    S. B. Damelin, N. S. Hoang, "On surface completion and image inpainting by biharmonic functions: numerical aspects",
    https://doi.org/10.1155/2018/3950312; ``skimage.restoration.inpaint_biharmonic``.
    """
    if not mask.any():
        return image.copy()
    if mask.all():
        raise InputError("mask", "covers the whole image, so that nothing is known", "Leave some pixels unmasked")
    known = image[~mask]
    low, high = known.min(axis=0), known.max(axis=0)
    out = image.copy()
    for hole in _regions(mask) if split_into_regions else [np.flatnonzero(mask)]:
        values = to_dtype(np.clip(_solve(image, mask, hole), low, high), image.dtype)
        out[np.unravel_index(hole, mask.shape)] = values
    return out


def _regions(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the flat indices of every group of pixels that no equation links to another group."""
    grown = dilate(mask, make_footprint("cross", (1,) * mask.ndim))
    groups, _ = label(grown, mask.ndim)
    pixels = np.flatnonzero(mask)
    numbers = groups.ravel()[pixels]
    order = np.argsort(numbers, kind="stable")
    return np.split(pixels[order], np.flatnonzero(np.diff(numbers[order])) + 1)


def _solve(image: NDArray[Any], mask: NDArray[np.bool_], hole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values of the pixels of a hole, one column per colour of a colour image."""
    from scipy import sparse
    from scipy.sparse import linalg

    rows, pixels, weights = biharmonic_entries(hole, mask.shape)
    unknown = mask.ravel()[pixels]
    row, number = rows[unknown], np.searchsorted(hole, pixels[unknown])
    matrix = sparse.csc_array((weights[unknown], (row, number)), shape=(len(hole), len(hole)))
    values = image.reshape(mask.size, -1)
    target = np.empty((len(hole), values.shape[1]))
    for colour, channel in enumerate(values.T):
        known = weights[~unknown] * channel[pixels[~unknown]]
        target[:, colour] = -np.bincount(rows[~unknown], known, minlength=len(hole))
    # the matrix is symmetric and positive definite: pivoting would only cost time
    factors = linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(factors.solve(target)).reshape(len(hole), *image.shape[mask.ndim :])
