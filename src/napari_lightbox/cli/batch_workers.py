"""Work on the files of a batch on the workers of a cluster: paths travel, pixels do not."""

from __future__ import annotations

import secrets
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from napari_lightbox.cli.batch_attempts import Attempts
from napari_lightbox.cli.batch_file import FileTask, failed
from napari_lightbox.cli.batch_on_worker import run_on_worker
from napari_lightbox.cli.batch_place import POLL_SECONDS
from napari_lightbox.cli.batch_work import Work
from napari_lightbox.errors import ServerError
from napari_lightbox.io.batch_report import Entry
from napari_lightbox.server.cluster.failures import cut_off, explained
from napari_lightbox.server.cluster.state import workers_of

MOST_LOSSES = 3
_LOSSES_IN_COMPANY = 2
_PER_THREAD = 4
_COUNT_AGAIN_SECONDS = 5.0


@dataclass(frozen=True)
class _Flight:
    task: FileTask
    begin: float
    number: int

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begin


class Workers:
    """Tasks of one file each on a cluster, a bounded number at a time; at the end of the with block the rest is taken back.

    A worker that is lost costs the time to begin its files again. A file that took two workers with it may have been beside the
    one to blame, so it waits until all others are done and has its last attempt alone.

    Parameters
    ----------
    client
        The cluster.
    work
        What is done to every file.
    folder
        An empty folder, on a disk that the workers see, to count attempts in.
    most
        How many files may be on their way; by default four times as many as the workers have threads.
    """

    def __init__(self, client: Client, work: Work, folder: Path, most: int | None = None) -> None:
        self._client = client
        self._work = work
        self._folder = folder
        self._most = most
        self._run = secrets.token_hex(4)
        self._numbers = count()
        self._flying: dict[Future, _Flight] = {}
        self._aside: deque[_Flight] = deque()
        self._alone = False
        self._done: SimpleQueue[Future] = SimpleQueue()
        self._is_gone = False
        self._threads = 0
        self._counted = -_COUNT_AGAIN_SECONDS

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take back what is not finished."""
        self.stop()

    def free(self) -> int:
        """Return how many more files may start now."""
        return 0 if self._alone else max(self._room() - len(self._flying), 0)

    def start(self, task: FileTask) -> None:
        """Begin with a file, and return at once."""
        self._submit(_Flight(task, time.perf_counter(), next(self._numbers)), _LOSSES_IN_COMPANY)

    def finished(self) -> list[tuple[FileTask, Entry]]:
        """Return the files that are done since the last call; waits a moment when there are none.

        Raises
        ------
        ServerError
            The cluster is gone.
        """
        if not self._flying and self._aside:
            self._alone = True
            self._submit(self._aside.popleft(), MOST_LOSSES)
        found = []
        with suppress(Empty):
            found.append(self._done.get(timeout=POLL_SECONDS))
            while True:
                found.append(self._done.get_nowait())
        results = self._results(found)
        pairs = [pair for future, result in results.items() if (pair := self._landed(future, result)) is not None]
        self._is_gone |= any(future.status == "cancelled" for future in found) or self._client.status in ("closing", "closed")
        if self._is_gone and not pairs:
            raise cut_off()
        return pairs

    def under_way(self) -> float:
        """Return 0: workers tell when a file is done, not before."""
        return 0.0

    def stop(self) -> None:
        """Take back what is not finished; workers stop at the next chunk."""
        futures = list(self._flying)
        self._flying.clear()
        if futures:
            # a cluster that is gone has nothing to give back
            with suppress(Exception):
                self._client.cancel(futures, force=True)

    def _room(self) -> int:
        if self._most is not None:
            return self._most
        now = time.monotonic()
        if now - self._counted >= _COUNT_AGAIN_SECONDS:
            self._counted = now
            self._threads = sum(worker["threads"] for worker in workers_of(self._client))
        return max(_PER_THREAD * self._threads, 1)

    def _submit(self, flight: _Flight, most: int) -> None:
        attempts = Attempts(self._folder / f"{flight.number}")
        # another name for the attempt alone: the first one's was used up
        key = f"lightbox-file-{self._run}-{flight.number}-{most}"
        future = self._client.submit(run_on_worker, self._work, flight.task, attempts, most, key=key, pure=False)
        self._flying[future] = flight
        future.add_done_callback(self._done.put)

    def _results(self, found: list[Future]) -> dict[Future, Entry | Exception | None]:
        """Return what came of futures that are done; nothing for those that went with the cluster."""
        good = [future for future in found if future.status == "finished" and future in self._flying]
        bad = [future for future in found if future.status == "error" and future in self._flying]
        # one question for all of them: each takes a moment
        results = dict(zip(good, self._client.gather(good), strict=True)) if good else {}
        return results | {future: future.exception() for future in bad}

    def _landed(self, future: Future, result: Entry | Exception | None) -> tuple[FileTask, Entry] | None:
        """Return how a file went; None when it gets another attempt."""
        flight = self._flying.pop(future)
        alone, self._alone = self._alone, False
        if isinstance(result, Entry):
            return flight.task, result
        if result is not None and not isinstance(result, KilledWorker):
            return flight.task, failed(flight.task, flight.seconds, explained(result))
        if not alone:
            self._aside.append(flight)
            return None
        return flight.task, failed(flight.task, flight.seconds, _lost(flight.task))


def _lost(task: FileTask) -> ServerError:
    return ServerError(
        task.source,
        f"ended the worker that it was on {MOST_LOSSES} times",
        "It ran out of memory most likely: give each worker more, or run this file with lightbox apply --blocks",
    )
