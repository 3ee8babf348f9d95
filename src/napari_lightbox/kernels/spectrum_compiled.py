"""Compiled products of Fourier spectra."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def wiener_product(spectrum: Any, transfer: Any, ratio: Any, least: Any) -> None:
    """Multiply `spectrum`, in place, by conj(H) / (|H|^2 + ratio) of a transfer function H; the divisor is at least `least`."""
    for i in range(spectrum.size):
        h = transfer[i]
        divisor = max(h.real * h.real + h.imag * h.imag + ratio, least)
        spectrum[i] *= complex(h.real / divisor, -h.imag / divisor)
