"""The runner protocol: submit, follow, take the result, cancel; local and remote runners look the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from napari_lightbox.engine.request import Request

Status = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Outcome:
    """What a run gave: outputs by name, the main one first, and how they were made.

    `preview` is true when the outputs cover a region or are approximate.
    """

    outputs: Mapping[str, Any]
    provenance: Mapping[str, Any]
    preview: bool = False

    @property
    def main(self) -> Any:
        """The first output."""
        return next(iter(self.outputs.values()))


class Job(Protocol):
    """A run on its way."""

    @property
    def request(self) -> Request:
        """What was asked for."""

    @property
    def status(self) -> Status:
        """Where the run stands."""

    @property
    def fraction(self) -> float:
        """Part done, 0 to 1."""

    @property
    def message(self) -> str:
        """What is being done, in words."""

    def subscribe(self, callback: Callable[[Job], None]) -> Callable[[], None]:
        """Call back after every change, from any thread; returns the function that ends it."""

    def result(self, timeout: float | None = None) -> Outcome:
        """Wait for the outcome; raises what the run raised."""

    def cancel(self) -> None:
        """Stop at the next chunk boundary."""


class Runner(Protocol):
    """Runs requests somewhere."""

    def submit(self, request: Request) -> Job:
        """Start a run and return at once."""

    def close(self) -> None:
        """Cancel what is running and free everything."""
