"""Adam, without the two seconds of compiler machinery that torch's own optimisers load at their first use.

That import holds Python's lock in long pieces: a window would stand still while a training starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8


class Adam:
    """Steps along the smoothed gradient, measured by its usual size.

    References
    ----------
    Kingma, Ba: Adam: a method for stochastic optimization, 2015, arXiv:1412.6980.
    """

    def __init__(self, weights: Iterable[Any], rate: float) -> None:
        self.rate = rate
        self._weights = [w for w in weights if w.requires_grad]
        self._mean = [torch.zeros_like(w) for w in self._weights]
        self._square = [torch.zeros_like(w) for w in self._weights]
        self._steps = 0

    def clear(self) -> None:
        """Forget the gradients."""
        for weight in self._weights:
            weight.grad = None

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        """Change the weights by their gradients."""
        self._steps += 1
        gradients = [w.grad if w.grad is not None else torch.zeros_like(w) for w in self._weights]
        torch._foreach_lerp_(self._mean, gradients, 1 - _FIRST)
        torch._foreach_mul_(self._square, _SECOND)
        torch._foreach_addcmul_(self._square, gradients, gradients, 1 - _SECOND)
        size = torch._foreach_sqrt(self._square)  # noqa: SLF001
        torch._foreach_div_(size, (1 - _SECOND**self._steps) ** 0.5)
        torch._foreach_add_(size, _TINY)
        torch._foreach_addcdiv_(self._weights, self._mean, size, -self.rate / (1 - _FIRST**self._steps))


class Plateau:
    """Halves the rate of an optimiser whenever a score has not risen for some rounds."""

    def __init__(self, optimiser: Adam, patience: int, least: float) -> None:
        self._optimiser, self._patience, self._least = optimiser, patience, least
        self._best = float("-inf")
        self._waited = 0

    def see(self, score: float) -> None:
        """Take note of the score of a round."""
        if score > self._best + self._least:
            self._best, self._waited = score, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            self._optimiser.rate /= 2
            self._waited = 0
