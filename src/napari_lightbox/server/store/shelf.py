"""The folders of all sources: made in one step, gone in one step, found again after a restart."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from math import prod
from pathlib import Path

from napari_lightbox.engine.remembered import Remembered
from napari_lightbox.errors import NotFoundError
from napari_lightbox.server.store.ids import checked_id, new_id
from napari_lightbox.server.store.placing import place, private_folder
from napari_lightbox.server.store.source import Source
from napari_lightbox.wire import ArrayCard

KNOWN = 4096


class Shelf:
    """One folder for each source; what a dead process left half made or half removed goes when a new one starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = private_folder(Path(folder).resolve())
        self._read = Remembered(KNOWN)
        for left in self.folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def __iter__(self) -> Iterator[Source]:
        """Return all sources."""
        for path in self.folder.glob("[0-9a-f]*/card.json"):
            with suppress(NotFoundError):
                yield self.get(path.parent.name)

    def __contains__(self, name: str) -> bool:
        """Return whether a source is there."""
        return self._card(name).exists()

    def get(self, name: str) -> Source:
        """Return a source.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        # what is written about a source never changes, but the source may go
        known: Source | None = self._read.get(name)[1]
        try:
            if known is None or name not in self:
                told = json.loads(self._card(name).read_text("utf-8"))
                known = Source(name, ArrayCard.from_json(told["card"]), self.folder / name, told["declared"])
                self._read.put(name, known)
        except FileNotFoundError:
            raise NotFoundError("source", f"{name} is not there", "Send the array again") from None
        return known

    def create(self, name: str, card: ArrayCard, declared: bytes | None) -> None:
        """Make a source without chunks; `declared` is the table of the hashes that were told beforehand."""
        folder = self._aside(name)
        try:
            place(folder / "card.json", described(card, declared is not None))
            if declared is not None:
                place(folder / "declared", declared)
            Source(name, card, folder, declared is not None).table.create(prod(card.grid))
            folder.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove(self, name: str) -> None:
        """Take a source away."""
        gone = self._aside(name)
        with suppress(FileNotFoundError):
            (self.folder / name).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def touch(self, name: str) -> None:
        """Note that a source was used now."""
        with suppress(FileNotFoundError):
            os.utime(self._card(name))

    def used(self, name: str) -> float:
        """Return when a source was used last, in seconds since 1970."""
        return self._card(name).stat().st_mtime

    def _card(self, name: str) -> Path:
        return self.folder / checked_id(name, "source") / "card.json"

    def _aside(self, name: str) -> Path:
        return self.folder / f".{name}-{new_id()}"


def described(card: ArrayCard, declared: bool) -> bytes:
    """Return what is written down about a source."""
    return json.dumps({"card": card.to_json(), "declared": declared}, sort_keys=True).encode()
