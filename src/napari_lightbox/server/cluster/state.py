"""What the workers are doing, for whoever waits."""

from __future__ import annotations

import time
from typing import Any, TypedDict

from distributed import Client


class WorkerState(TypedDict):
    """One worker: its threads, its bytes of memory and those in use, and how many tasks it runs right now."""

    name: str
    threads: int
    memory: int
    used: int
    tasks: int


def workers_of(client: Client) -> list[WorkerState]:
    """Return the workers of a cluster by name; none while the cluster does not answer."""
    known = client.scheduler_info(n_workers=-1).get("workers", {})
    return sorted(map(_state, known.values()), key=lambda worker: worker["name"])


class ThreadCount:
    """Threads of all workers of a cluster, asked for every now and then: each job wants to know.

    Parameters
    ----------
    client
        The connection to the scheduler.
    every
        Seconds for which an answer counts.
    """

    def __init__(self, client: Client, every: float = 10.0) -> None:
        self._client = client
        self._every = every
        self._count = 0
        self._asked = 0.0

    def __call__(self) -> int:
        """Return how many there are."""
        now = time.monotonic()
        # without workers it asks again: they may come any moment
        if not self._count or now - self._asked > self._every:
            self._count, self._asked = sum(worker["threads"] for worker in workers_of(self._client)), now
        return self._count


def _state(worker: dict[str, Any]) -> WorkerState:
    metrics = worker.get("metrics", {})
    return WorkerState(
        name=str(worker["name"]),
        threads=int(worker["nthreads"]),
        memory=int(worker["memory_limit"] or 0),
        used=int(metrics.get("memory", 0)),
        tasks=int(metrics.get("task_counts", {}).get("executing", 0)),
    )
