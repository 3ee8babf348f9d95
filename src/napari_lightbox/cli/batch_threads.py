"""Work on the files of a batch in threads of this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Self, TypeAlias

from napari_lightbox.cli.batch_file import FileTask
from napari_lightbox.cli.batch_place import POLL_SECONDS
from napari_lightbox.engine.control import Control
from napari_lightbox.errors import CancelledError
from napari_lightbox.io.batch_report import Entry

RunFile: TypeAlias = Callable[[FileTask, Control], Entry]
_MOST = 4


def usual_count(threads: int) -> int:
    """Return how many files to work on at a time: each may take a quarter of the free memory."""
    return min(threads, _MOST)


class Threads:
    """Threads that each work on one file; at the end of the with block all is given up that is not finished.

    Parameters
    ----------
    run_file
        Works on one file.
    count
        How many files at a time.
    """

    def __init__(self, run_file: RunFile, count: int) -> None:
        self._run_file = run_file
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lightbox-batch")
        self._controls: dict[FileTask, Control] = {}
        self._fractions: dict[FileTask, float] = {}
        self._done: SimpleQueue[tuple[FileTask, Entry | BaseException | None]] = SimpleQueue()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def free(self) -> int:
        """Return how many more files may start now."""
        return self._count - len(self._controls)

    def start(self, task: FileTask) -> None:
        """Begin with a file, and return at once."""
        self._controls[task] = Control(partial(self._heard, task))
        self._pool.submit(self._work, task, self._controls[task])

    def finished(self) -> list[tuple[FileTask, Entry]]:
        """Return the files that are done since the last call; waits a moment when there are none.

        Raises
        ------
        Exception
            What does the work failed, not a file.
        """
        found = []
        with suppress(Empty):
            found.append(self._done.get(timeout=POLL_SECONDS))
            while True:
                found.append(self._done.get_nowait())
        for task, result in found:
            self._controls.pop(task, None)
            self._fractions.pop(task, None)
            if isinstance(result, BaseException):
                self._failure = result
        entries = [(task, result) for task, result in found if isinstance(result, Entry)]
        if not entries and self._failure is not None:
            raise self._failure
        return entries

    def under_way(self) -> float:
        """Return how much of the files that are not finished is done: the sum of their fractions."""
        return sum(list(self._fractions.values()))

    def stop(self) -> None:
        """Give up what is not finished, and wait until it has cleaned up."""
        for control in self._controls.values():
            control.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, task: FileTask, control: Control) -> None:
        try:
            self._done.put((task, self._run_file(task, control)))
        except CancelledError:
            self._done.put((task, None))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the file must hear of it
            self._done.put((task, error))

    def _heard(self, task: FileTask, fraction: float, message: str) -> None:
        if task in self._controls:
            self._fractions[task] = fraction
