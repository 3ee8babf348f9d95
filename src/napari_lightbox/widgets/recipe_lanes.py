"""Where the lines of a recipe run beside its list: one lane per result, from the step that makes it to the last that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Lanes:
    """The lines in one row.

    Parameters
    ----------
    own
        The lane of the row's own dot.
    passing
        Lanes of results that pass by.
    joining
        Lanes of the results that the row reads; they come from above and bend to the dot.
    ending
        Those of them that nobody reads further down.
    leaving
        Whether something further down reads the row's result.
    """

    own: int
    passing: tuple[int, ...] = ()
    joining: tuple[int, ...] = ()
    ending: tuple[int, ...] = ()
    leaving: bool = False

    @property
    def width(self) -> int:
        """Number of lanes that the row needs."""
        return max((self.own, *self.passing, *self.joining)) + 1


def lanes_of(reads: Sequence[Sequence[int]]) -> list[Lanes]:
    """Return the lines of every row; ``reads[i]`` are the earlier rows that row ``i`` reads, the main one first."""
    last = [max((i for i, rows in enumerate(reads) if row in rows), default=-1) for row in range(len(reads))]
    lane: dict[int, int] = {}
    found = []
    for row, sources in enumerate(reads):
        ending = [s for s in sources if last[s] == row]
        busy = {lane[r] for r in lane if last[r] >= row and r not in ending}
        own = next((lane[s] for s in sources if s in ending), None)
        if own is None:
            own = next(n for n in range(len(reads) + 1) if n not in busy and n not in {lane[s] for s in ending})
        passing = sorted({lane[r] for r in lane if last[r] > row})
        found.append(
            Lanes(
                own,
                tuple(passing),
                tuple(dict.fromkeys(lane[s] for s in sources)),
                tuple(dict.fromkeys(lane[s] for s in ending)),
                last[row] > row,
            )
        )
        for s in ending:
            lane.pop(s, None)
        lane[row] = own
        if last[row] < 0:
            lane.pop(row)
    return found
