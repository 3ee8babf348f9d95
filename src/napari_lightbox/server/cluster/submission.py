"""A graph on its way through a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Self

from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from distributed import Client, Future

from napari_lightbox.engine.control import Control
from napari_lightbox.errors import InputError
from napari_lightbox.server.cluster.failures import check_open, explained, failure_of
from napari_lightbox.server.cluster.own_graph import own_graph

# how long a cancel may go unnoticed
PATIENCE_SECONDS = 0.03
# how much later a small graph may come and still go before a large one
MOST_OVERTAKEN_SECONDS = 60.0
# more than a clock shows, so that urgency comes before age
_ERA_SECONDS = 1e10


class Submission:
    """Keys of a graph that a cluster computes until the with block ends; what is not done by then is dropped.

    Of graphs of the same urgency a small one goes before a large one that came up to a minute before it, and of two as large as
    each other the older one. So whoever asks for one block does not wait for a hundred of somebody else, and the second of two
    batches of a job fills the gap between the first and the third. However many small graphs come, a large one has its turn.

    Parameters
    ----------
    client
        The cluster.
    graph, keys
        A graph, and what is wanted of it.
    urgency
        A whole number; what has more of it comes first.

    Raises
    ------
    InputError
        The graph holds something that cannot leave this process.
    """

    def __init__(self, client: Client, graph: Any, keys: Sequence[Any], urgency: int) -> None:
        self._client = client
        self.tasks, names = own_graph(graph, keys)
        # as one finished layer: plain dictionaries are hashed completely, pixels included
        layers = HighLevelGraph({"run": MaterializedLayer(self.tasks)}, {"run": set()})
        wanted = list(dict.fromkeys(keys))
        rank = _rank(urgency, len(self.tasks))
        try:
            # without the timeout, graphs of a whole minute would take turns task by task, and all end at once
            futures: list[Future] = client.get(layers, [names[key] for key in wanted], sync=False, priority=rank, fifo_timeout=0)
        except TypeError as error:
            raise InputError("input", "cannot be sent to the workers", "Save it to a file and open that") from error
        except Exception as error:
            raise explained(error) from error
        self.keys = {future.key: key for future, key in zip(futures, wanted, strict=True)}
        self._futures = futures
        self._done: SimpleQueue[Future] = SimpleQueue()
        for future in futures:
            future.add_done_callback(self._done.put)

    def __enter__(self) -> Self:
        """Return the submission."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what is left."""
        for future in self._futures:
            future.release()

    def finished(self, control: Control) -> Iterator[list[Future]]:
        """Yield what has finished since the last time; nothing, every now and then, while nothing has.

        Raises
        ------
        Exception
            What a task raised, `ServerError` when the cluster failed, and what `control` raises.
        """
        left = len(self._futures)
        while left:
            done = self._newly_done()
            control.check()
            check_open(self._client)
            for future in done:
                failure = failure_of(future)
                if failure is not None:
                    raise failure
            left -= len(done)
            yield done

    def _newly_done(self) -> list[Future]:
        done: list[Future] = []
        try:
            done.append(self._done.get(timeout=PATIENCE_SECONDS))
            while True:
                done.append(self._done.get_nowait())
        except Empty:
            return done


def _rank(urgency: int, tasks: int) -> float:
    """Return the priority of a graph that comes now; the larger it is, the later it counts as come."""
    came = time.time() + MOST_OVERTAKEN_SECONDS * (1 - 1 / (1 + tasks))
    return urgency * _ERA_SECONDS - came
