"""Guess the axes of a bare array; the only file that may."""

from __future__ import annotations

from napari_lightbox.errors import AxesError

_BY_NDIM = {1: "x", 2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx"}


def guess_axes(shape: tuple[int, ...]) -> str:
    """Return the most likely axes of an array that came without any.

    A trailing axis of three or four on top of at least two others is taken for colour;
    three further dimensions are space, a fourth is time, a fifth is channels.

    Raises
    ------
    AxesError
        The array has no dimension or more than five.
    """
    ndim = len(shape)
    if ndim >= 3 and shape[-1] in (3, 4) and min(shape[-3:-1]) > 4:
        return guess_axes(shape[:-1]).replace("c", "q") + "c"
    if ndim not in _BY_NDIM:
        raise AxesError(
            "axes", f"cannot be guessed for {ndim} dimensions", 'Say what the dimensions are, for example axes="tzyx"'
        )
    return _BY_NDIM[ndim]
