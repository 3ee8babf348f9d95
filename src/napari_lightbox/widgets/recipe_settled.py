"""A recipe with its layers at rest, as undo and redo go back to it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from napari.layers import Layer

from napari_lightbox.contract import Recipe
from napari_lightbox.widgets.recipe_changes import Change
from napari_lightbox.widgets.recipe_state import Place


@dataclass(frozen=True)
class Settled:
    """A recipe with its layers, after everything has followed."""

    recipe: Recipe
    shown: dict[Place, tuple[Layer, ...]]
    inputs: tuple[Layer | None, ...]


class Adopts(Protocol):
    """Who looks at recipes."""

    def adopt(self, settled: Settled, changes: Sequence[Change]) -> None:
        """Look at a recipe that the layers show again."""


class Adopting:
    """Tells a follower of an undo as long as its dock is open; actions outlive docks."""

    def __init__(self, follower: Adopts) -> None:
        self._follower: Callable[[], Adopts | None] = weakref.ref(follower)

    def __call__(self, settled: Settled, changes: Sequence[Change]) -> None:
        """Pass the recipe on."""
        follower = self._follower()
        if follower is not None:
            follower.adopt(settled, changes)
