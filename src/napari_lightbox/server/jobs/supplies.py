"""Where the chunks of lazy inputs come from, when they are not there yet: from the client, or from another job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.engine.control import Control
from napari_lightbox.errors import GoneError
from napari_lightbox.server.jobs.arrivals import STEP, Arrivals
from napari_lightbox.server.jobs.held import Held
from napari_lightbox.server.store.read_layer import Read
from napari_lightbox.server.store.source import number_of
from napari_lightbox.wire import ArrayCard

Index = tuple[int, ...]


class Supply(Protocol):
    """Chunks of one input, counted in C order."""

    @property
    def card(self) -> ArrayCard:
        """The array."""

    def ask(self, chunks: Sequence[int]) -> None:
        """Say that some chunks will be needed soon."""

    def hold(self, chunks: Sequence[int], control: Control) -> None:
        """Wait for some chunks and keep them there."""

    def release(self, chunks: Sequence[int]) -> None:
        """Let go of some chunks."""


@dataclass(frozen=True)
class Pushed:
    """Chunks that the client of a job sends."""

    job_id: str
    source: Any
    arrivals: Arrivals
    held: Held

    @property
    def card(self) -> ArrayCard:
        """The array."""
        card: ArrayCard = self.source.card
        return card

    def ask(self, chunks: Sequence[int]) -> None:
        """Say that some chunks will be needed soon."""
        self.arrivals.ask(self.job_id, self.source.id, chunks)

    def hold(self, chunks: Sequence[int], control: Control) -> None:
        """Wait for some chunks and keep them there.

        Raises
        ------
        ConnectionLostError
            The client sends nothing any more.
        """
        if not self.source.declared:
            self.held.hold(self.source.id, chunks)
        try:
            self.arrivals.wait(self.job_id, self.source.id, chunks, control)
        except BaseException:
            self.release(chunks)
            raise

    def release(self, chunks: Sequence[int]) -> None:
        """Let go of some chunks; those that were not declared can be asked for again."""
        if not self.source.declared:
            self.held.release(self.source.id, chunks, chunk_bytes(self.card))


@dataclass(frozen=True)
class Earlier:
    """Chunks that another job of this server writes."""

    result: Any
    table: Any
    wishes: Any

    @property
    def card(self) -> ArrayCard:
        """The array."""
        card: ArrayCard = self.result.card
        return card

    def ask(self, chunks: Sequence[int]) -> None:
        """Have some chunks written first."""
        for index in self._missing(chunks):
            self.wishes.ask(self.result.id, index)

    def hold(self, chunks: Sequence[int], control: Control) -> None:
        """Wait until some chunks are written.

        Raises
        ------
        GoneError
            The other job ended without them.
        """
        self.ask(chunks)
        while True:
            # in this order: a job that is over has written all it ever will
            over = self.table.get(self.result.job).is_over
            missing = self._missing(chunks)
            if not missing:
                return
            if over:
                raise GoneError("result", "was never finished, or given back", "Run the step before again")
            control.check()
            time.sleep(STEP)

    def release(self, chunks: Sequence[int]) -> None:
        """Let go of some chunks: results stay anyway."""

    def _missing(self, chunks: Sequence[int]) -> list[Index]:
        indices = [index_of(self.card, chunk) for chunk in chunks]
        return [index for index in indices if not self.result.has(index)]


@dataclass(frozen=True)
class ResultReader:
    """Reads one chunk of a result; travels to workers as a path."""

    result: Any

    def __call__(self, index: Index) -> NDArray[Any]:
        """Return a chunk without what lies outside of the array."""
        card: ArrayCard = self.result.card
        try:
            whole = np.fromfile(self.result.path(index), card.kind).reshape(card.chunks)
        except FileNotFoundError:
            raise GoneError("result", "was given back", "Run the step before again") from None
        return whole[tuple(map(slice, card.chunk_shape(index)))]


@dataclass(frozen=True)
class Waiting:
    """Reads one chunk after it has come in; for blocks that are computed in this process."""

    supply: Supply
    read: Read
    control: Control

    def __call__(self, index: Index) -> NDArray[Any]:
        """Return a chunk."""
        number = [number_of(self.supply.card, index)]
        self.supply.hold(number, self.control)
        try:
            return self.read(index)
        finally:
            self.supply.release(number)


def chunk_bytes(card: ArrayCard) -> int:
    """Return the bytes of a chunk."""
    return prod(card.chunks) * card.kind.itemsize


def index_of(card: ArrayCard, chunk: int) -> Index:
    """Return the index of a chunk from its number in C order."""
    return tuple(int(i) for i in np.unravel_index(chunk, card.grid)) if card.grid else ()
