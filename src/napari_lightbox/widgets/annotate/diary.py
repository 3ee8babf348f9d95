"""The journal of one napari process: what a crash would otherwise take along."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from napari.layers import Labels

from napari_lightbox.errors import LightboxError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.journal import Journal
from napari_lightbox.settings import settings
from napari_lightbox.widgets.layers import suggest_axes, volume_of
from napari_lightbox.widgets.messages import show_failure


def journal_folder() -> Path:
    """Return where journals lie."""
    return settings().cache_folder / "journals"


class Diary:
    """Writes every change of the watched layers to one file; says once when that is not possible."""

    def __init__(self) -> None:
        self.works = True
        self._names: dict[Labels, str] = {}
        self._journal: Journal | None = None
        try:
            journal_folder().mkdir(parents=True, exist_ok=True)
            self._journal = Journal(journal_folder() / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.lightbox-journal")
        except (LightboxError, OSError) as error:
            self._give_up(error)

    def write(self, layer: Labels, before: Delta | None, delta: Delta) -> None:
        """Append a change; the first of a layer brings along what the layer held before."""
        journal = self._journal
        if journal is None or not self.works:
            return
        try:
            if layer not in self._names:
                self._begin(journal, layer, before)
            journal.append(self._names[layer], delta)
        except (LightboxError, OSError) as error:
            self._give_up(error)

    def forget(self, layer: Labels) -> None:
        """Begin anew with this layer at its next change."""
        self._names.pop(layer, None)

    def close(self) -> None:
        """End normally: nothing needs to be recovered."""
        if self._journal is not None:
            with suppress(LightboxError, OSError):
                self._journal.close(keep=False)
            self._journal = None

    def _begin(self, journal: Journal, layer: Labels, before: Delta | None) -> None:
        volume = volume_of(layer, suggest_axes(layer)[0])
        name = layer.name
        while name in self._names.values():
            name += "'"
        journal.begin(name, volume.geometry, volume.dtype, None)
        self._names[layer] = name
        if before is not None:
            journal.append(name, before)

    def _give_up(self, error: Exception) -> None:
        self.works = False
        reason = f"cannot be written ({error})"
        show_failure(
            LightboxError("Crash recovery", reason, "Save your labels often, or set another cache folder in the settings")
        )
