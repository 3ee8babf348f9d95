"""Hashes of what was read of the sources of a log, computed in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.engine.content import content_hash
from napari_lightbox.errors import RecipeError
from napari_lightbox.interaction.background import Background
from napari_lightbox.interaction.pieces import Box

WHOLE_HASH_BYTES = 2**28

Spans = tuple[tuple[int, int], ...]
Key = tuple[str, Spans]


class SourceHashes:
    """Pixels by the name of their source, and hashes of boxes of them.

    Small images in memory are hashed as a whole when they are attached; of larger and of lazy ones, whose every block may
    be dear to compute, the boxes asked for.
    """

    def __init__(self) -> None:
        self._pixels: dict[str, Any] = {}
        self._known: dict[Key, str] = {}
        self._background = Background[Key]()

    def attach(self, name: str, volume: Volume) -> None:
        """Take the pixels of a source, which must be those that were hashed under this name before.

        Raises
        ------
        RecipeError
            They are not.
        """
        data, before = volume.data, self._pixels.get(name)
        if before is data or _same_memory(before, data):
            return
        for (known, spans), digest in self.known().items():
            if known == name and content_hash(data, box_of(spans)) != digest:
                raise RecipeError(name, "has other pixels than when it was logged", "Use another name, or begin a new log")
        self._pixels[name] = data
        if isinstance(data, np.ndarray) and data.nbytes <= WHOLE_HASH_BYTES:
            self.ask(name, whole_box(data.shape))

    def release(self, name: str) -> None:
        """Let go of the pixels; hashes on their way are finished first, in the background."""
        self._pixels.pop(name, None)

    def ask(self, name: str, box: Box) -> None:
        """Hash a box, unless that was done or the whole image was hashed.

        Raises
        ------
        RecipeError
            The pixels were released.
        """
        spans = tuple((s.start, s.stop) for s in box)
        if any(n == name and _covers(known, spans) for n, known in (*self._known, *self._background.asked())):
            return
        if name not in self._pixels:
            raise RecipeError(name, "is not open any more", "Open the image again and add it to the log")
        data = self._pixels[name]
        self._background.ask((name, spans), lambda: content_hash(data, box))

    def known(self) -> dict[Key, str]:
        """Return all hashes; waits for those on their way.

        Raises
        ------
        Exception
            Whatever reading a source raised.
        """
        for key, digest in self._background.results().items():
            if isinstance(digest, Exception):
                raise digest
            self._known[key] = digest
        return dict(self._known)

    def take_over(self, digests: Mapping[Key, str]) -> None:
        """Use hashes that were computed earlier."""
        self._known.update(digests)


def whole_box(shape: Sequence[int]) -> Box:
    """Return the box of everything."""
    return tuple(slice(0, int(n)) for n in shape)


def box_of(spans: Spans) -> Box:
    """Return starts and stops as slices."""
    return tuple(slice(a, b) for a, b in spans)


def _covers(whole: Spans, part: Spans) -> bool:
    return all(a <= c and d <= b for (a, b), (c, d) in zip(whole, part, strict=True))


def _same_memory(before: Any, data: Any) -> bool:
    if not (isinstance(before, np.ndarray) and isinstance(data, np.ndarray)):
        return False
    return bool(before.ctypes.data == data.ctypes.data and before.strides == data.strides)
