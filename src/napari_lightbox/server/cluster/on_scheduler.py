"""What runs inside of the dask scheduler: it reaches the scheduler by reference, like a task a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.errors import VersionError

_LEFT = ("waiting", "queued", "processing", "no-worker")


def be_patient(losses: int, version: str, dask_scheduler: Any = None) -> None:
    """Let a task survive so many lost workers at least.

    Raises
    ------
    VersionError
        The scheduler has another napari-lightbox.
    """
    check_version("scheduler", version)
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, losses)


def check_version(place: str, version: str) -> None:
    """Raise unless this process has the same napari-lightbox as the one that sends work.

    Raises
    ------
    VersionError
        It has another one.
    """
    if version != __version__:
        raise VersionError(place, f"has napari-lightbox {__version__}, the server {version}", "Install the same version on both")


def tasks_left(groups: Sequence[str], dask_scheduler: Any = None) -> int | None:
    """Return how many tasks of some groups are not done, None when the scheduler has not heard of them."""
    known = [dask_scheduler.task_groups[name] for name in groups if name in dask_scheduler.task_groups]
    return sum(group.states[state] for group in known for state in _LEFT) if known else None
