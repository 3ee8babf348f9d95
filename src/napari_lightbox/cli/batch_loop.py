"""Keep a place busy with files until all are done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from napari_lightbox.cli.batch_file import FileTask
from napari_lightbox.cli.batch_place import Place
from napari_lightbox.io.batch_report import Entry


def work_through(
    tasks: Iterable[FileTask],
    place: Place,
    heard: Callable[[FileTask, Entry], None],
    show: Callable[[float], None],
    *,
    stop_on_error: bool,
) -> None:
    """Work on all files.

    Parameters
    ----------
    tasks, place
        What is to be done, and where.
    heard
        Called with every file that is done, before another one starts.
    show
        Called every now and then with how much of the unfinished files is done.
    stop_on_error
        Whether the first file that fails is the last one.

    Raises
    ------
    Exception
        The place failed, or `heard` did.
    """
    todo, open_files = deque(tasks), 0
    try:
        while todo or open_files:
            for _ in range(min(place.free(), len(todo))):
                place.start(todo.popleft())
                open_files += 1
            for task, entry in place.finished():
                open_files -= 1
                heard(task, entry)
                if stop_on_error and entry.status == "failed":
                    return
            show(place.under_way())
    finally:
        place.stop()
