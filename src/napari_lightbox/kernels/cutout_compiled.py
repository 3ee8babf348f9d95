"""Compiled choice between an image and one value."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def cut_out(image: Any, labels: Any, label: Any, keep_label: bool, value: Any, out: Any) -> None:
    """Write the image where ``(labels == label) == keep_label``, else `value`."""
    for i in range(out.size):
        pixel = image[i]
        out[i] = pixel if (labels[i] == label) == keep_label else value
