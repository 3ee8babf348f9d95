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
def _update(data: Any, weight: Any, variance: Any, mean: Any, count: int, s: Any, n: Any) -> tuple[bool, bool, int]:
    """Match the pixel against its modes and update them; background?, does a mode fit?, number of modes."""
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
                for c in range(len(n)):
                    mean[mode, c] -= k * (mean[mode, c] - data[c])
                variance[mode] = min(max(spread + k * (distance - spread), s[LEAST]), s[MOST])
                while place > 0 and not new_weight < weight[place - 1]:
                    _swap(weight, variance, mean, place, n)
                    place -= 1
        if new_weight < -s[PRUNE]:
            new_weight = _ZERO
            modes -= 1
        weight[place] = new_weight
        total += new_weight
        mode += 1
    scale = _ONE / total if abs(total) > _EPSILON else _ZERO
    for i in range(modes):
        weight[i] *= scale
    return background, fits, modes


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
def step(  # noqa: C901, PLR0912
    frame: Any,
    old: Any,
    new: Any,
    s: tuple[Any, ...],
    shadows: bool,
    labels: NDArray[Any],
    background: NDArray[Any],
    n: Any,
) -> None:
    """Update the pixels of a frame (pixel, c) of float32.

    `old` and `new` are the modes (pixel, mode, weight and variance and means) and their numbers; `old` is only read, and
    modes beyond the number of a pixel are zero. `labels` gets 0 background, 1 foreground, 2 shadow; `background` float32, NaN
    where nothing was ever observed.
    """
    old_modes, old_counts = old
    new_modes, new_counts = new
    limit, channels = old_modes.shape[1], len(n)
    weight, variance = np.zeros(limit, np.float32), np.zeros(limit, np.float32)
    mean, data = np.zeros((limit, channels), np.float32), np.zeros(channels, np.float32)
    for p in range(len(frame)):
        modes = np.int64(old_counts[p])
        for m in range(modes):
            weight[m], variance[m] = old_modes[p, m, 0], old_modes[p, m, 1]
            for c in range(len(n)):
                mean[m, c] = old_modes[p, m, 2 + c]
        missing = False
        for c in range(len(n)):
            data[c] = frame[p, c]
            missing |= data[c] != data[c]
        label = 0
        if not missing:
            matched, fits, modes = _update(data, weight, variance, mean, modes, s, n)
            if not fits and s[RATE] > _ZERO:
                modes = _add(data, weight, variance, mean, modes, s, n)
            if not matched:
                label = 2 if shadows and _is_shadow(data, weight, variance, mean, modes, s, n) else 1
        labels[p], new_counts[p] = label, modes
        total, is_open = _ZERO, True
        for c in range(len(n)):
            background[p, c] = _ZERO if modes else np.float32(np.nan)
        for m in range(modes):
            new_modes[p, m, 0], new_modes[p, m, 1] = weight[m], variance[m]
            for c in range(len(n)):
                new_modes[p, m, 2 + c] = mean[m, c]
                background[p, c] += weight[m] * mean[m, c] if is_open else _ZERO
            total += weight[m] if is_open else _ZERO
            is_open = is_open and not total > s[RATIO]
        for m in range(modes, limit):
            for c in range(2 + len(n)):
                new_modes[p, m, c] = _ZERO
        scale = _ONE / total if abs(total) > _EPSILON else _ZERO
        for c in range(len(n)):
            background[p, c] *= scale
