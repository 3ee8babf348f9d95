"""Who computes the tasks of a run: the threads of this process, unless somebody else was named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import dask
import dask.threaded
from dask.callbacks import normalize_callback

from napari_lightbox.engine.control import Control, TaskProgress
from napari_lightbox.settings import settings

Span = tuple[float, float]


class Scheduler(Protocol):
    """Computes keys of a graph."""

    def get(
        self, graph: Mapping[Any, Any], keys: Sequence[Any], control: Control, span: Span = (0.0, 1.0), message: str = ""
    ) -> Sequence[Any]:
        """Return the values of some keys of a culled graph.

        Reports progress between the two fractions of `span`, and raises what `control` raises between tasks.
        """


class Threads:
    """The threads of this process."""

    def get(
        self, graph: Mapping[Any, Any], keys: Sequence[Any], control: Control, span: Span = (0.0, 1.0), message: str = ""
    ) -> Sequence[Any]:
        """Return the values of some keys of a culled graph."""
        # given, not entered: dask hands those that are entered to whichever run begins next, in any thread
        progress = [normalize_callback(TaskProgress(control, *span, message))]
        values: Sequence[Any] = dask.threaded.get(graph, list(keys), num_workers=settings().threads, callbacks=progress)
        return values


_current: ContextVar[Scheduler] = ContextVar("scheduler")
_threads = Threads()


def scheduler() -> Scheduler:
    """Return who computes in this context."""
    return _current.get(_threads)


@contextmanager
def computed_by(other: Scheduler) -> Iterator[None]:
    """Have `other` compute whatever is run in the with block, in this thread."""
    token = _current.set(other)
    try:
        yield
    finally:
        _current.reset(token)


def compute_all(values: Sequence[Any], control: Control | None = None, span: Span = (0.0, 1.0), message: str = "") -> list[Any]:
    """Return lazy values computed together, and all others as they are."""
    told = Control() if control is None else control

    def get(graph: Any, keys: Sequence[Any], **_: Any) -> Sequence[Any]:
        return scheduler().get(graph, keys, told, span, message)

    return list(dask.compute(*values, scheduler=get))


def compute_blocks(array: Any, indices: Iterable[Sequence[int]]) -> list[Any]:
    """Return some blocks of a dask array computed together: slices of it would cost several times what a small block does."""
    keys = [(array.name, *index) for index in indices]
    return list(scheduler().get(array.__dask_optimize__(array.__dask_graph__(), keys), keys, Control()))
