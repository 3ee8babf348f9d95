"""Total variation denoising by Chambolle's dual projection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs


def chambolle(image: NDArray[Any], weight: float, eps: float, iterations: int) -> NDArray[Any]:
    """Return the float image with its total variation reduced; two or three axes.

    Stops when the energy per pixel changes by less than `eps` times its first value.
    """
    from napari_lightbox.kernels.total_variation_compiled import add_divergence, project_dual

    data = np.ascontiguousarray(image).reshape((-1, *image.shape[-2:]))
    rows = data.shape[0] * data.shape[1]
    dual = np.zeros((3, *data.shape), data.dtype)
    out = np.empty_like(data)
    tau, strength = data.dtype.type(1 / (2 * image.ndim)), data.dtype.type(weight)
    parts: list[tuple[int, float]] = []

    def denoise(start: int, stop: int) -> None:
        parts.append((start, add_divergence(data, dual, out, start, stop)))

    def project(start: int, stop: int) -> None:
        parts.append((start, weight * project_dual(out, dual, tau, strength, start, stop)))

    first = previous = np.inf
    for step in range(iterations):
        parts.clear()
        run_slabs(denoise, rows, least=64)
        run_slabs(project, rows, least=64)
        # threads finish in any order: add up in the order of the rows, so that runs are equal bit for bit
        energy = sum(value for _, value in sorted(parts)) / image.size
        if step == 0:
            first = energy
        elif abs(previous - energy) < eps * first:
            break
        previous = energy
    return out.reshape(image.shape)
