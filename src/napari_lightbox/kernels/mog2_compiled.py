"""Adaptive mixture of Gaussians per pixel: one update step with OpenCV's float32 arithmetic, order for order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_ZERO = np.float32(0)
_ONE = np.float32(1)
_EPSILON = np.float32(np.finfo(np.float32).eps)

# positions in the tuple of settings
RATE, MATCH, GENERATE, RATIO, INITIAL, LEAST, MOST, PRUNE, SHADOW = range(9)


@njit(nogil=True, cache=True, error_model="numpy")
def _swap(weight: Any, variance: Any, mean: Any, i: int, n: Any) -> None:
    weight[i], weight[i - 1] = weight[i - 1], weight[i]
    variance[i], variance[i - 1] = variance[i - 1], variance[i]
    for c in range(len(n)):
        mean[i, c], mean[i - 1, c] = mean[i - 1, c], mean[i, c]


@njit(nogil=True, cache=True, error_model="numpy")
def _update(data: Any, weight: Any, variance: Any, mean: Any, count: int, s: Any, n: Any) -> tuple[bool, int]:  # noqa: C901
    """Match the pixel against its modes, update them, add one when none fits; background?, number of modes."""
    background, fits, total = False, False, _ZERO
    keep = _ONE - s[RATE]
    modes = count
    mode = 0
    while mode < modes:
        new_weight = keep * weight[mode] + s[PRUNE]
        place = mode
        if not fits:
            spread = variance[mode]
            distance = _ZERO
            for c in range(len(n)):
                difference = mean[mode, c] - data[c]
                distance += difference * difference
            if total < s[RATIO] and distance < s[MATCH] * spread:
                background = True
            if distance < s[GENERATE] * spread:
                fits = True
                new_weight += s[RATE]
                k = s[RATE] / new_weight
                spread = min(max(spread + k * (distance - spread), s[LEAST]), s[MOST])
                for c in range(len(n)):
                    mean[mode, c] -= k * (mean[mode, c] - data[c])
                while place > 0 and not new_weight < weight[place - 1]:
                    _swap(weight, variance, mean, place, n)
                    place -= 1
                variance[place] = spread
        if new_weight < -s[PRUNE]:
            new_weight = _ZERO
            modes -= 1
        weight[place] = new_weight
        total += new_weight
        mode += 1
    scale = _ONE / total if abs(total) > _EPSILON else _ZERO
    for i in range(modes):
        weight[i] *= scale
    if not fits and s[RATE] > _ZERO:
        modes = _add(data, weight, variance, mean, modes, s, n)
    return background, modes


@njit(nogil=True, cache=True, error_model="numpy")
def _add(data: Any, weight: Any, variance: Any, mean: Any, modes: int, s: Any, n: Any) -> int:
    """Replace the weakest mode, or add one, centred on the pixel."""
    last = modes if modes < weight.size else weight.size - 1
    if last == 0:
        weight[0] = _ONE
    else:
        weight[last] = s[RATE]
        for i in range(last):
            weight[i] *= _ONE - s[RATE]
    for c in range(len(n)):
        mean[last, c] = data[c]
    variance[last] = s[INITIAL]
    i = last
    while i > 0 and not s[RATE] < weight[i - 1]:
        _swap(weight, variance, mean, i, n)
        i -= 1
    return last + 1


@njit(nogil=True, cache=True, error_model="numpy")
def _is_shadow(data: Any, weight: Any, variance: Any, mean: Any, modes: int, s: Any, n: Any) -> bool:
    """Tell whether the pixel is a darker version, of the same colour, of a background mode."""
    total = _ZERO
    for mode in range(modes):
        numerator, denominator = _ZERO, _ZERO
        for c in range(len(n)):
            numerator += data[c] * mean[mode, c]
            denominator += mean[mode, c] * mean[mode, c]
        if denominator == _ZERO:
            return False
        if numerator <= denominator and numerator >= s[SHADOW] * denominator:
            a = numerator / denominator
            distance = _ZERO
            for c in range(len(n)):
                difference = a * mean[mode, c] - data[c]
                distance += difference * difference
            if distance < s[MATCH] * variance[mode] * a * a:
                return True
        total += weight[mode]
        if total > s[RATIO]:
            return False
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _expected(weight: Any, mean: Any, modes: int, ratio: Any, out: Any, n: Any) -> None:
    """Write the weighted mean of the background modes; NaN where nothing was ever observed."""
    total = _ZERO
    for c in range(len(n)):
        out[c] = _ZERO
    for mode in range(modes):
        for c in range(len(n)):
            out[c] += weight[mode] * mean[mode, c]
        total += weight[mode]
        if total > ratio:
            break
    if modes == 0:
        for c in range(len(n)):
            out[c] = np.float32(np.nan)
        return
    scale = _ONE / total if abs(total) > _EPSILON else _ZERO
    for c in range(len(n)):
        out[c] *= scale


@njit(nogil=True, cache=True, error_model="numpy")
def step(  # noqa: C901
    frame: Any,
    old: Any,
    new: Any,
    s: tuple[Any, ...],
    shadows: bool,
    labels: NDArray[Any],
    background: NDArray[Any],
    top: int,
    bottom: int,
    n: Any,
) -> None:
    """Update rows `top` to `bottom` of a frame (y, x, c) of float32.

    `old` and `new` are the modes (y, x, mode, weight and variance and means) and their numbers (y, x); `old` is only read,
    and modes beyond the number of a pixel are zero. `labels` gets 0 background, 1 foreground, 2 shadow;
    `background` gets float32.
    """
    old_modes, old_counts = old
    new_modes, new_counts = new
    _, columns, limit, _ = old_modes.shape
    channels = len(n)
    weight, variance = np.zeros(limit, np.float32), np.zeros(limit, np.float32)
    mean = np.zeros((limit, channels), np.float32)
    data, expected = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
    for y in range(top, bottom):
        for x in range(columns):
            count = np.int64(old_counts[y, x])
            for m in range(count):
                weight[m], variance[m] = old_modes[y, x, m, 0], old_modes[y, x, m, 1]
                for c in range(len(n)):
                    mean[m, c] = old_modes[y, x, m, 2 + c]
            missing = False
            for c in range(len(n)):
                data[c] = frame[y, x, c]
                missing |= np.isnan(data[c])
            label, modes = 0, count
            if not missing:
                matched, modes = _update(data, weight, variance, mean, count, s, n)
                if not matched:
                    label = 2 if shadows and _is_shadow(data, weight, variance, mean, modes, s, n) else 1
            labels[y, x] = label
            new_counts[y, x] = modes
            for m in range(modes):
                new_modes[y, x, m, 0], new_modes[y, x, m, 1] = weight[m], variance[m]
                for c in range(len(n)):
                    new_modes[y, x, m, 2 + c] = mean[m, c]
            for m in range(modes, limit):
                for c in range(2 + channels):
                    new_modes[y, x, m, c] = 0
            _expected(weight, mean, modes, s[RATIO], expected, n)
            for c in range(len(n)):
                background[y, x, c] = expected[c]
