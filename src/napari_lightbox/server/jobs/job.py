"""One job as the table keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_lightbox.engine.runner import Status

UNFINISHED: tuple[Status, ...] = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """A run that somebody asked for.

    Parameters
    ----------
    id, owner
        Its name and whose it is.
    request
        `Request.to_json`, with references instead of arrays.
    key
        What the client calls it, so that asking twice makes one job.
    first
        Part of the main output that is wanted first, as (start, stop) per axis.
    priority
        0 runs before 9.
    status, fraction, message
        Where it stands.
    error
        What went wrong, encoded.
    outputs
        Outputs by name and how they were made, as soon as the layout is known.
    created, started, finished
        Seconds since 1970.
    lease_until
        When its results may go; None while it has not finished.
    attempts
        How often it was started.
    gone
        Whether its lease is over and its results were given back.
    """

    id: str
    owner: str
    request: Mapping[str, Any]
    key: str | None = None
    first: list[list[int]] | None = None
    priority: int = 5
    status: Status = "queued"
    fraction: float = 0.0
    message: str = ""
    error: Mapping[str, str] | None = None
    outputs: Mapping[str, Any] | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    lease_until: float | None = None
    attempts: int = 0
    gone: bool = False

    @property
    def technique(self) -> str:
        """Id of the technique."""
        return str(self.request["technique"])

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status not in UNFINISHED

    def gives(self) -> dict[str, Any]:
        """Return what the protocol tells about the outputs of a job whose layout is known."""
        return {**(self.outputs or {}), "complete": self.status == "done"}

    def card(self) -> dict[str, Any]:
        """Return what the protocol tells about a job."""
        return {
            "id": self.id,
            "technique": self.technique,
            "status": self.status,
            "fraction": self.fraction,
            "message": self.message,
            "created": self.created,
            "priority": self.priority,
            "lease_until": self.lease_until,
            "error": self.error,
        }
