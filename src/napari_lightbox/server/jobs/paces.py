"""How long blocks took, so that the next job of the same kind begins with batches that fit."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from napari_lightbox.engine.remembered import Remembered
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.wire import ArrayCard

FIRST_SECONDS, MOST_FIRST, KINDS = 0.1, 16, 1024


@dataclass(frozen=True)
class Pace:
    """How long one kind of blocks takes: of the same technique and parameters, of the same shape and type.

    Parameters
    ----------
    known
        Seconds of a block, by its kind.
    kind
        Which kind.
    """

    known: Remembered
    kind: Hashable

    @classmethod
    def of(cls, known: Remembered, job: Job, cards: Iterable[ArrayCard]) -> Pace:
        """Return the pace of a job that writes chunks of some arrays."""
        asked = [job.request["technique"], job.request["parameters"], job.request["over"]]
        blocks = tuple((card.kind.str, card.chunks) for card in cards)
        return cls(known, (hash(json.dumps(asked, sort_keys=True)), blocks))

    def first(self) -> int:
        """Return how many blocks may be done first: one, as long as nothing is known about them."""
        found, seconds = self.known.get(self.kind)
        return max(1, min(int(FIRST_SECONDS / max(seconds, 1e-9)), MOST_FIRST)) if found else 1

    def note(self, seconds: float) -> None:
        """Note how long a block took."""
        self.known.put(self.kind, seconds)
