"""What the workers are doing, for whoever waits."""

from __future__ import annotations

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


def _state(worker: dict[str, Any]) -> WorkerState:
    metrics = worker.get("metrics", {})
    return WorkerState(
        name=str(worker["name"]),
        threads=int(worker["nthreads"]),
        memory=int(worker["memory_limit"] or 0),
        used=int(metrics.get("memory", 0)),
        tasks=int(metrics.get("task_counts", {}).get("executing", 0)),
    )
