"""Non-local means in two and three dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import extended
from napari_lightbox.kernels.slabs import run_slabs

_BAND = 32


def non_local_means(block: NDArray[Any], half: int, search: int, h: float, noise: float, fast: bool) -> NDArray[Any]:
    """Return the float block denoised.

    Parameters
    ----------
    half, search
        Half widths of patch and search window.
    h
        Patches that differ by h (root mean square) weigh 1/e.
    noise
        Standard deviation of the noise; twice its square is taken off the mean squared differences.
    fast
        Flat patches of (2 half)^n samples over mirrored surroundings, as the fast mode of scikit-image; otherwise
        Gaussian patches of (2 half + 1)^n samples, searched inside the image only.
    """
    from napari_lightbox.kernels.nlm_compiled import nlm_band

    reach = (half + search,) * block.ndim
    padded = extended(block, reach, "mirror")
    data = block.reshape((-1, *block.shape[-2:]))
    padded = padded.reshape((-1, *padded.shape[-2:]))
    taps, first = _patch(half, fast)
    norm = (1 / (h * (2 * half + 1) ** (block.ndim / 2))) ** 2 if fast else 1 / h**2
    shift = 2 * noise**2 * norm * taps.sum() ** block.ndim
    flat = block.ndim == 2
    kind = block.dtype
    taps_z = np.full(1, norm, kind) if flat else (taps * norm).astype(kind)
    patch = (taps_z, taps.astype(kind), taps.astype(kind))
    firsts = np.array([0 if flat else first, first, first])
    searches = np.array([0 if flat else search, search, search])
    out = np.empty(data.shape, kind)
    bands = [(z, y) for z in range(data.shape[0]) for y in range(0, data.shape[1], _BAND)]

    def work(start: int, stop: int) -> None:
        for z, y in bands[start:stop]:
            end = min(y + _BAND, data.shape[1])
            nlm_band(padded, *patch, firsts, searches, not fast, kind.type(shift), out, z, y, end)

    run_slabs(work, len(bands))
    return out.reshape(block.shape)


def _patch(half: int, fast: bool) -> tuple[NDArray[np.float64], int]:
    """Return the weights along one axis and the offset of the first sample."""
    if fast:
        return np.ones(2 * half), 1 - half
    weights = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * (half / 2) ** 2))
    return weights / weights.sum(), -half
