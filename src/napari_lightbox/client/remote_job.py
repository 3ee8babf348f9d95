"""A run on a server, as the rest of the program sees any run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NoReturn

from napari_lightbox.client.answers import FINAL, JobCard, check_done, field, mapping, numbers
from napari_lightbox.client.early import Early
from napari_lightbox.client.events import Event, EventStream
from napari_lightbox.client.inputs import gives_lazy
from napari_lightbox.client.link import Link
from napari_lightbox.client.results import arrays_of, is_whole, outcome_of, output_of, remembering
from napari_lightbox.client.submission import Submission, pairs, submit
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Job, Outcome, Status
from napari_lightbox.errors import (
    CancelledError,
    ConnectionLostError,
    GoneError,
    LightboxError,
    NotFoundError,
)
from napari_lightbox.observers import Observers

_LAST_WORDS = 5.0


class RemoteJob:
    """A run on a server; a thread of its own follows it and answers what the server asks for.

    Parameters
    ----------
    link
        Way to the server.
    request
        What to run.
    first
        Part of the main output that is wanted first.
    priority
        0 runs before 9.
    id
        Name of a job that the server has already.
    lazy
        Whether the result may stay on the server until somebody looks at it; as the request says when not given.
    """

    def __init__(
        self,
        link: Link,
        request: Request,
        *,
        first: Region | None = None,
        priority: int = 5,
        id: str | None = None,  # noqa: A002
        lazy: bool | None = None,
    ) -> None:
        self.request = request
        self.id = id
        self.status: Status = "queued"
        self.fraction = 0.0
        self.message = ""
        self._link = link
        self._first = first
        self._priority = priority
        self._lazy = gives_lazy(request) if lazy is None else lazy
        self._submission: Submission | None = None
        self._stream: EventStream | None = None
        self._error: BaseException | None = None
        self._complete = False
        self._control = Control()
        self._future: Future[Outcome] = Future()
        self._over = threading.Event()
        self._observers = Observers()
        self._early: Early | None = None
        self._told: Any = None
        self._cancel_told = False

    def __repr__(self) -> str:
        """Return what it is and where it stands."""
        return f"RemoteJob({self.request.technique!r}, id={self.id!r}, status={self.status!r})"

    def start(self) -> RemoteJob:
        """Begin, and return at once."""
        threading.Thread(target=self._work, name="lightbox-job", daemon=True).start()
        return self

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in FINAL

    @property
    def error(self) -> BaseException | None:
        """Why it failed or was cancelled; None while it runs and when it is done."""
        return self._error if self.is_over else None

    def subscribe(self, callback: Callable[[Job], None]) -> Callable[[], None]:
        """Call back after every change, from any thread; returns the function that ends it."""
        return self._observers.add(callback)

    def result(self, timeout: float | None = None) -> Outcome:
        """Wait for the outcome; raises what the run raised.

        Lazy results come as soon as their layout is known, while the server still computes them.
        """
        return self._future.result(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run; tells whether it was reached."""
        return self._over.wait(timeout)

    def cancel(self) -> None:
        """Stop at the next chunk boundary."""
        if not self.is_over:
            self._control.cancel()
            threading.Thread(target=self._tell_cancelled, name="lightbox-cancel", daemon=True).start()

    def fail(self, error: BaseException) -> None:
        """Hear that the run cannot go on, because something that it needs cannot be had."""
        if self._error is None:
            self._error = error
        # first, as whoever waits for the result may close the connection when it comes
        self._tell_cancelled(patience=1.0)
        self._stop()

    def leave(self) -> None:
        """Stop following; the server goes on."""
        if self._error is None:
            self._error = ConnectionLostError(self._link.connection.url, "the connection was closed", "Connect again")
        self._stop()

    def first(self, region: Region) -> None:
        """Have the blocks of a part of the main output computed next."""
        if self.id is not None and not self.is_over:
            self._link.connection.post(f"/v1/jobs/{self.id}/first", {"region": pairs(region)})

    def keep(self) -> None:
        """Have the server keep the results for longer."""
        if self.id is not None:
            self._link.connection.post(f"/v1/jobs/{self.id}/keep", patience=0.0)

    def delete(self) -> None:
        """Stop it and free its results."""
        if self.id is not None:
            self._link.connection.delete(f"/v1/jobs/{self.id}")

    def still_making(self, error: LightboxError) -> None:
        """Return while what the server does not have yet may still come; raise why it never will otherwise."""
        self.check()
        if self._error is not None:
            raise self._error
        if self.is_over or self._complete:
            raise error

    def explain(self, error: LightboxError) -> NoReturn:
        """Raise why a result is not there any more: what ended the run, or `error` when that was something else."""
        if isinstance(error, (NotFoundError, GoneError, CancelledError)) and not self._complete:
            # the server frees results first, then says why
            self._over.wait(_LAST_WORDS)
        raise self._error or error

    def check(self) -> None:
        """Raise when the run was cancelled."""
        self._control.check()

    def _work(self) -> None:
        try:
            self.check()
            if self.id is None:
                self._submit()
            self._follow()
        except BaseException as error:  # noqa: BLE001 - whatever happens belongs to whoever waits for the result
            cause = self._cause(error)
            self._stop()
            self._finish("cancelled" if isinstance(cause, CancelledError) else "failed", cause)
        else:
            self._finish("done", None)

    def _cause(self, error: BaseException) -> BaseException:
        """Return what went wrong first; whoever asked to stop need not hear that nobody was there to confirm it."""
        first = self._error or error
        if isinstance(first, ConnectionLostError):
            try:
                self.check()
            except CancelledError as cancelled:
                return cancelled
        return first

    def _submit(self) -> None:
        self._say("Preparing the input")
        self._submission = submit(self._link, self.request, self._control, self._first, self._priority)
        self.id = self._submission.id
        self._stream = EventStream(self._link.connection, self.id, self._submission.begun)
        if self._control.cancelled:
            self._tell_cancelled()
        self._submission.inputs.push(self)

    def _follow(self) -> None:
        """Go along with the job until it ends, and take what it gives."""
        assert self.id is not None
        self._link.session.keep(self)
        if self._stream is None:
            self._stream = EventStream(self._link.connection, self.id)
        card = None
        for event in self._stream:
            card = self._heard(event, card)
            if self._error is not None or (card is not None and card.status in FINAL):
                break
        self._stop()
        if self._error is not None:
            raise self._error
        check_done(card)
        self._complete = True
        if not self._future.done():
            self._say("Fetching the result")
            self._deliver(self._told if self._told is not None and is_whole(self._told) else self._answer())

    def _heard(self, event: Event, card: JobCard | None) -> JobCard | None:
        """Answer an event, and return what is known about the job from now on."""
        if event.name == "state":
            card = JobCard.from_json(event.data)
            self._show(card)
            if self._control.cancelled and not self._cancel_told and card.status not in FINAL:
                # it was lost on the way, and the way is open again
                self._tell_cancelled(patience=1.0)
        elif event.name == "wanted" and self._submission is not None:
            upload = self._submission.inputs.uploads.get(field(event.data, "source", str))
            if upload is not None:
                chunks = numbers(event.data, "chunks", upload.count)
                self._link.sender.send(upload, chunks, self, urgent=True)
        elif event.name == "outputs" and not self._future.done():
            self._told = mapping(event.data)
            self._outputs_known()
        return card

    def _outputs_known(self) -> None:
        if self._lazy:
            self._deliver(self._told)
        elif self._early is None:
            told = self._told
            self._early = Early(lambda: arrays_of(self._link, told, self))

    def _deliver(self, answer: Any) -> None:
        outcome = outcome_of(self._link, answer, self, lazy=self._lazy, early=self._early, later=self._later)
        if self._submission is not None:
            outcome = remembering(self._submission.described, outcome, complete=not self._lazy)
        self._future.set_result(outcome)
        self._observers.tell(self)

    def _later(self, name: str) -> Any:
        """Return a stand-in for an output that is known when the run is over."""
        from dask import delayed

        def output() -> Any:
            self._over.wait()
            if self._error is not None:
                raise self._error
            return output_of(self._link, self._answer(), name, self)

        return delayed(output, pure=False)()

    def _answer(self) -> Any:
        return self._link.connection.get(f"/v1/jobs/{self.id}/outputs")

    def _show(self, card: JobCard) -> None:
        """Take over what the server says; it is over here only when the result is here."""
        if not self.request.technique:
            self.request = Request(card.technique, ())
        self.message = card.message
        if card.status not in FINAL:
            self.status, self.fraction = card.status, card.fraction
        self._observers.tell(self)

    def _say(self, message: str) -> None:
        self.message = message
        self._observers.tell(self)

    def _finish(self, status: Status, error: BaseException | None) -> None:
        self._error = error
        self._submission = None
        self.status = status
        if error is None:
            self.fraction = 1.0
        else:
            self.message = str(error)
            if not self._future.done():
                self._future.set_exception(error)
        self._over.set()
        self._observers.tell(self)

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.stop()

    def _tell_cancelled(self, patience: float | None = None) -> None:
        if self.id is not None:
            with suppress(LightboxError):
                self._link.connection.post(f"/v1/jobs/{self.id}/cancel", patience=patience)
                self._cancel_told = True
