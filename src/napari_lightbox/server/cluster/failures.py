"""What went wrong on a cluster, in our words."""

from __future__ import annotations

from typing import Any

from distributed import Client, Future
from distributed.client import ClosedClientError, FutureCancelledError, FuturesCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker, NoValidWorkerError, NoWorkerError
from distributed.utils import key_split

from napari_lightbox.errors import ServerError

_CUT_OFF = (CommClosedError, ClosedClientError, FutureCancelledError, FuturesCancelledError)


def failure_of(future: Future) -> BaseException | None:
    """Return why a future that is done has no result, None when it has one."""
    if future.status == "error":
        return explained(future.exception())
    return cut_off() if future.status == "cancelled" else None


def explained(error: Any) -> BaseException:
    """Return an error as who asked for the work should see it: that of a task is what it is."""
    if isinstance(error, KilledWorker):
        return ServerError(
            "worker",
            f"was lost {error.allowed_failures + 1} times while it computed {key_split(error.task)}",
            "It ran out of memory most likely: give each worker more, or the image smaller chunks",
        )
    if isinstance(error, (NoWorkerError, NoValidWorkerError)):
        return ServerError("workers", "are all gone and none came back", "Look into their logs and start them again")
    if isinstance(error, _CUT_OFF):
        return cut_off()
    return error if isinstance(error, BaseException) else ServerError("task", "failed without a word", "Start the run again")


def check_open(client: Client) -> None:
    """Raise when a connection was closed: nothing is heard of its futures any more.

    Raises
    ------
    ServerError
        It was.
    """
    if client.status in ("closing", "closed"):
        raise cut_off()


def cut_off() -> ServerError:
    """Return the error of work whose scheduler is gone."""
    return ServerError("scheduler", "of the cluster does not answer any more", "Start it again, then the server and the run")
