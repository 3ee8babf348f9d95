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
# positions in a mode
WEIGHT, VARIANCE, MEAN = range(3)


@njit(nogil=True, cache=True, error_model="numpy")
def _swap(modes: Any, at: int, i: int, n: Any) -> None:
    width = MEAN + len(n)
    here, before = at + i * width, at + (i - 1) * width
    for k in range(width):
        modes[here + k], modes[before + k] = modes[before + k], modes[here + k]


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _update(frame: Any, at_c: int, modes: Any, at: int, count: int, s: Any, n: Any) -> tuple[bool, bool, int]:
    """Match the pixel against its modes and update them; background?, does a mode fit?, number of modes."""
    width = MEAN + len(n)
    background, fits, total = False, False, _ZERO
    keep = _ONE - s[RATE]
    number = count
    mode = 0
    while mode < number:
        new_weight = keep * modes[at + mode * width + WEIGHT] + s[PRUNE]
        place = mode
        if not fits:
            spread = modes[at + mode * width + VARIANCE]
            distance = _ZERO
            for c in range(len(n)):
                difference = modes[at + mode * width + MEAN + c] - frame[at_c + c]
                distance += difference * difference
            if total < s[RATIO] and distance < s[MATCH] * spread:
                background = True
            if distance < s[GENERATE] * spread:
                fits = True
                new_weight += s[RATE]
                k = s[RATE] / new_weight
                for c in range(len(n)):
                    modes[at + mode * width + MEAN + c] -= k * (modes[at + mode * width + MEAN + c] - frame[at_c + c])
                modes[at + mode * width + VARIANCE] = min(max(spread + k * (distance - spread), s[LEAST]), s[MOST])
                while place > 0 and not new_weight < modes[at + (place - 1) * width + WEIGHT]:
                    _swap(modes, at, place, n)
                    place -= 1
        if new_weight < -s[PRUNE]:
            new_weight = _ZERO
            number -= 1
        modes[at + place * width + WEIGHT] = new_weight
        total += new_weight
        mode += 1
    scale = _ONE / total if abs(total) > _EPSILON else _ZERO
    for i in range(number):
        modes[at + i * width + WEIGHT] *= scale
    return background, fits, number


@njit(nogil=True, cache=True, error_model="numpy")
def _add(frame: Any, at_c: int, modes: Any, at: int, number: int, limit: int, s: Any, n: Any) -> int:
    """Replace the weakest mode, or add one, centred on the pixel."""
    width = MEAN + len(n)
    last = number if number < limit else limit - 1
    if last == 0:
        modes[at + WEIGHT] = _ONE
    else:
        modes[at + last * width + WEIGHT] = s[RATE]
        for i in range(last):
            modes[at + i * width + WEIGHT] *= _ONE - s[RATE]
    for c in range(len(n)):
        modes[at + last * width + MEAN + c] = frame[at_c + c]
    modes[at + last * width + VARIANCE] = s[INITIAL]
    i = last
    while i > 0 and not s[RATE] < modes[at + (i - 1) * width + WEIGHT]:
        _swap(modes, at, i, n)
        i -= 1
    return last + 1


@njit(nogil=True, cache=True, error_model="numpy")
def _is_shadow(frame: Any, at_c: int, modes: Any, at: int, number: int, s: Any, n: Any) -> bool:
    """Tell whether the pixel is a darker version, of the same colour, of a background mode."""
    width = MEAN + len(n)
    total = _ZERO
    for mode in range(number):
        numerator, denominator = _ZERO, _ZERO
        for c in range(len(n)):
            numerator += frame[at_c + c] * modes[at + mode * width + MEAN + c]
            denominator += modes[at + mode * width + MEAN + c] * modes[at + mode * width + MEAN + c]
        if denominator == _ZERO:
            return False
        if numerator <= denominator and numerator >= s[SHADOW] * denominator:
            a = numerator / denominator
            distance = _ZERO
            for c in range(len(n)):
                difference = a * modes[at + mode * width + MEAN + c] - frame[at_c + c]
                distance += difference * difference
            if distance < s[MATCH] * modes[at + mode * width + VARIANCE] * a * a:
                return True
        total += modes[at + mode * width + WEIGHT]
        if total > s[RATIO]:
            return False
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def step(
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
    # one index per access: every further one costs a comparison, and this loop does little else
    values, modes, means = frame.ravel(), new_modes.reshape(-1), background.reshape(-1)
    limit, width = new_modes.shape[1], MEAN + len(n)
    earlier = old_modes.reshape(-1)
    for k in range(modes.size):
        modes[k] = earlier[k]
    for p in range(len(frame)):
        number, at, at_c = np.int64(old_counts[p]), p * limit * width, p * len(n)
        missing = False
        for c in range(len(n)):
            missing |= values[at_c + c] != values[at_c + c]
        label = 0
        if not missing:
            matched, fits, number = _update(values, at_c, modes, at, number, s, n)
            if not fits and s[RATE] > _ZERO:
                number = _add(values, at_c, modes, at, number, limit, s, n)
            if not matched:
                label = 2 if shadows and _is_shadow(values, at_c, modes, at, number, s, n) else 1
        labels[p], new_counts[p] = label, number
        for k in range(at + number * width, at + np.int64(old_counts[p]) * width):
            modes[k] = _ZERO
        _expect(modes, at, number, means, at_c, s, n)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _expect(modes: Any, at: int, number: int, means: Any, at_c: int, s: Any, n: Any) -> None:
    """Write the mean of the background modes, NaN without any mode."""
    width = MEAN + len(n)
    total, is_open = _ZERO, True
    for c in range(len(n)):
        means[at_c + c] = _ZERO if number else np.float32(np.nan)
    for m in range(number):
        weight = modes[at + m * width + WEIGHT]
        if is_open:
            for c in range(len(n)):
                means[at_c + c] += weight * modes[at + m * width + MEAN + c]
            total += weight
            is_open = not total > s[RATIO]
    scale = _ONE / total if abs(total) > _EPSILON else _ZERO
    for c in range(len(n)):
        means[at_c + c] *= scale
