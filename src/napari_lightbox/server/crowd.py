"""How many event streams and waits each user holds open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from napari_lightbox.errors import QuotaError


class Crowd:
    """Seats for those who wait.

    Parameters
    ----------
    seats
        How many each user has.
    """

    def __init__(self, seats: int) -> None:
        self._seats = seats
        self._taken: Counter[str] = Counter()

    def has_seat(self, owner: str) -> bool:
        """Tell whether there is a seat left."""
        return self._taken[owner] < self._seats

    def check(self, owner: str) -> None:
        """Go on when there is a seat left.

        Raises
        ------
        QuotaError
            All of this user's are taken.
        """
        if not self.has_seat(owner):
            raise QuotaError("connections", f"of {owner} wait in {self._seats} places", "Close some windows or scripts first")

    @contextmanager
    def seat(self, owner: str) -> Iterator[None]:
        """Hold a seat for the length of a with block.

        Raises
        ------
        QuotaError
            All of this user's are taken.
        """
        self.check(owner)
        self._taken[owner] += 1
        try:
            yield
        finally:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
