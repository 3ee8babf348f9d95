"""Which blocks of a job come next: what the user looks at, what somebody waits for, then all others in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

Index = tuple[int, ...]
Region = Sequence[Sequence[int]]
MOST_REGIONS = 16
_OPEN, _ASKED, _TAKEN = 0, 1, 2


class Order:
    """Numbers from 0 to a total, each handed out once.

    Parameters
    ----------
    total
        How many there are.
    """

    def __init__(self, total: int) -> None:
        self._state = bytearray(total)
        self._next = 0
        self._left = total
        self._regions: deque[Iterator[int]] = deque()
        self._asked: deque[int] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many were not handed out yet."""
        return self._left

    @property
    def is_looked_at(self) -> bool:
        """Whether somebody waits for some of them more than for others."""
        return bool(self._regions or self._asked)

    def mark(self, numbers: Iterable[int]) -> None:
        """Have some numbers never handed out."""
        with self._lock:
            for number in numbers:
                self._mark(number)

    def first(self, numbers: Iterable[int]) -> None:
        """Have some numbers come before all others."""
        with self._lock:
            self._regions.appendleft(iter(numbers))
            while len(self._regions) > MOST_REGIONS:
                self._regions.pop()

    def ask(self, number: int) -> None:
        """Have a number come soon: somebody waits for it."""
        with self._lock:
            if self._state[number] == _OPEN:
                self._state[number] = _ASKED
                self._asked.append(number)

    def give_back(self, numbers: Iterable[int]) -> None:
        """Have numbers that were handed out come again, soon."""
        with self._lock:
            for number in numbers:
                if self._state[number] == _TAKEN:
                    self._left += 1
                    self._state[number] = _ASKED
                    self._asked.appendleft(number)

    def take(self, count: int) -> list[int]:
        """Return the numbers that come next, none when all were handed out.

        Those that somebody waits for come by themselves: they do not wait for others.
        """
        taken: list[int] = []
        with self._lock:
            for following in (self._wished, self._usual):
                while len(taken) < count and (number := following()) is not None:
                    self._mark(number)
                    taken.append(number)
                if taken:
                    break
        return taken

    def _mark(self, number: int) -> None:
        if self._state[number] != _TAKEN:
            self._state[number] = _TAKEN
            self._left -= 1

    def _wished(self) -> int | None:
        while self._regions:
            for number in self._regions[0]:
                if self._state[number] != _TAKEN:
                    return number
            self._regions.popleft()
        while self._asked:
            number = self._asked.popleft()
            if self._state[number] != _TAKEN:
                return number
        return None

    def _usual(self) -> int | None:
        number = self._state.find(_OPEN, self._next)
        if number < 0:
            return None
        self._next = number
        return number


class Target(Protocol):
    """A job that takes wishes."""

    def first(self, region: Region) -> None:
        """Have the blocks of a part of the main output come first."""

    def ask(self, array_id: str, index: Index) -> None:
        """Have the block behind a chunk come soon."""


class Wishes:
    """What is wanted first, of all jobs that run; those of jobs that do not run yet are kept for them."""

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._jobs: dict[str, str] = {}
        self._early: dict[str, Region] = {}
        self._lock = threading.Lock()

    def open(self, job_id: str, arrays: Iterable[str], target: Target) -> None:
        """Take wishes for a job and its arrays from now on."""
        with self._lock:
            self._targets[job_id] = target
            self._jobs.update(dict.fromkeys(arrays, job_id))
            early = self._early.pop(job_id, None)
        if early is not None:
            target.first(early)

    def close(self, job_id: str) -> None:
        """Take no more wishes for a job."""
        with self._lock:
            self._targets.pop(job_id, None)
            self._early.pop(job_id, None)
            self._jobs = {array: job for array, job in self._jobs.items() if job != job_id}

    def first(self, job_id: str, region: Region) -> None:
        """Have the blocks of a part of the main output come before all others."""
        with self._lock:
            target = self._targets.get(job_id)
            if target is None:
                self._early[job_id] = region
        if target is not None:
            target.first(region)

    def ask(self, array_id: str, index: Index) -> None:
        """Have the block behind a chunk come soon; does nothing for arrays that are complete."""
        with self._lock:
            target = self._targets.get(self._jobs.get(array_id, ""))
        if target is not None:
            target.ask(array_id, tuple(index))
