"""How far several segmentations of one place agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_lightbox.engine.request import Region
from napari_lightbox.widgets.annotate.scope import slabs
from napari_lightbox.widgets.annotate.steps import Steps


class Agreement:
    """Pixels per id and engine, and Dice of each pair of engines over all ids but background."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.counts: dict[str, dict[int, int]] = {name: {} for name in names}
        self._shared: dict[tuple[str, str], int] = {}

    def add(self, parts: Mapping[str, Any], background: int) -> None:
        """Count one part of all segmentations."""
        objects = {name: np.where(labels == background, 0, labels) for name, labels in parts.items()}
        for name, labels in objects.items():
            for label, count in zip(*np.unique(labels[labels > 0], return_counts=True), strict=True):
                self.counts[name][int(label)] = self.counts[name].get(int(label), 0) + int(count)
        for i, first in enumerate(self.names):
            for second in self.names[i + 1 :]:
                same = (objects[first] == objects[second]) & (objects[first] > 0)
                pair = (first, second)
                self._shared[pair] = self._shared.get(pair, 0) + int(np.count_nonzero(same))

    def dice(self, first: str, second: str) -> float:
        """Return 2 |A and B| / (|A| + |B|), where a pixel counts as shared when both give it the same id."""
        if first == second:
            return 1.0
        shared = self._shared.get((first, second), self._shared.get((second, first), 0))
        total = sum(self.counts[first].values()) + sum(self.counts[second].values())
        return 2 * shared / total if total else 1.0


def agreement(results: Mapping[str, Any], background: int) -> Steps:
    """Compare segmentations of one box in steps; returns the `Agreement`."""
    found = Agreement(list(results))
    shape = next(iter(results.values())).shape
    whole: Region = tuple(slice(0, n) for n in shape)
    for part in slabs(whole):
        found.add({name: labels[part] for name, labels in results.items()}, background)
        yield
    return found
