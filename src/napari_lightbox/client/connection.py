"""The way to a server: one HTTP client with a token, typed errors, and new tries while connections drop."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.client.http import httpx, open_client
from napari_lightbox.client.patience import Patience
from napari_lightbox.client.replies import MOST_ERROR, Body, delay_of, error_of, hanging_up, parsed, read, read_into
from napari_lightbox.errors import BusyError, ConnectionLostError, LightboxError, QuotaError
from napari_lightbox.wire import Greeting

PATIENCE = 120.0
MOST_MESSAGE = 2**26
_FIRST_PATIENCE = 2.0
_QUOTA_PATIENCE = 15.0

WhileBusy = Callable[[LightboxError], None]
Stream = tuple[Iterator[bytes], Callable[[], None]]
Parts = Sequence[bytes | memoryview]
Exchange = Callable[[], tuple[httpx.Response, Body]]

EVENTS, _JSON = "text/event-stream", "application/json"

# the library copies what the socket does not take at once: small pieces keep that small
_PIECE = 2**18


class Connection:
    """A server and the way to it; safe to use from any thread.

    Every call of the protocol may be repeated, so whatever is lost on the way is simply asked for again.

    Parameters
    ----------
    url
        Address without the token.
    token
        What opens the server; it is in no message, no log and no representation.
    ca
        File with the authority that signed the server's certificate, for servers with a certificate of their own.
    patience
        Seconds to go on trying while the server cannot be reached or is busy.

    Raises
    ------
    ParameterError
        The file with the authority cannot be used.
    """

    def __init__(self, url: str, token: str, ca: str | Path | None = None, patience: float = PATIENCE) -> None:
        self.url = url
        self.patience = patience
        self.closed = threading.Event()
        self._client = open_client(url, token, ca)

    def __repr__(self) -> str:
        """Return the address."""
        return f"Connection({self.url!r})"

    def close(self) -> None:
        """Give the connection up; whoever waits for it gets a `ConnectionLostError`."""
        self.closed.set()
        self._client.close()

    def greet(self) -> Greeting:
        """Return who the server is, when both sides speak the same protocol.

        Raises
        ------
        LightboxError
            Nobody answers, or somebody else does.
        """
        theirs = Greeting.from_json(self.get("/v1/greeting", patience=min(_FIRST_PATIENCE, self.patience)))
        Greeting(__version__).meet(theirs)
        return theirs

    def get(self, path: str, *, patience: float | None = None) -> Any:
        """Return what the server says at a path."""
        return parsed(self.ask("GET", path, patience=patience))

    def post(self, path: str, message: Any = None, *, patience: float | None = None) -> Any:
        """Send a message and return the answer, None when it is empty."""
        body = self.ask("POST", path, [json.dumps({} if message is None else message).encode()], patience=patience)
        return parsed(body) if body else None

    def put(self, path: str, parts: Parts) -> None:
        """Send some bytes, one part after the other."""
        self.ask("PUT", path, parts)

    def delete(self, path: str) -> None:
        """Have something removed."""
        self.ask("DELETE", path)

    def fetch(self, path: str, target: memoryview, while_busy: WhileBusy | None = None) -> None:
        """Fill some memory with the bytes at a path.

        Raises
        ------
        WireError
            There are more or fewer.
        """
        self.ask("GET", path, into=target, while_busy=while_busy)

    def ask(
        self,
        method: str,
        path: str,
        content: Parts | None = None,
        *,
        into: memoryview | None = None,
        patience: float | None = None,
        while_busy: WhileBusy | None = None,
    ) -> Body:
        """Return the body of an answer; asks again while the connection drops or the server is busy.

        Parameters
        ----------
        method, path, content
            The question.
        into
            Memory that takes the body, which then has to have just its length.
        patience
            Seconds to go on trying, when it is not that of the connection.
        while_busy
            Called when the server is busy; then the time does not count, and what it raises ends the wait.

        Raises
        ------
        LightboxError
            What the server says, or that it cannot be reached.
        """
        return self._patiently(lambda: self._exchange(method, path, content, into), patience, while_busy)[1]

    def begin(self, path: str, message: Any) -> tuple[Any, httpx.Response | None]:
        """Send a message that may be answered by a stream of events; returns what was said, or the open stream.

        Where the stream leads to says its ``Location``; whoever gets it hands it to `stream`, or closes it.
        """
        content = [json.dumps(message).encode()]

        def exchange() -> tuple[httpx.Response, Body]:
            answer = self._open("POST", path, content, {"Accept": f"{EVENTS}, {_JSON}"})
            if answer.is_success and answer.headers.get("Content-Type", "").startswith(EVENTS):
                return answer, b""
            with closing(answer):
                return answer, read(answer, MOST_MESSAGE if answer.is_success else MOST_ERROR)

        answer, body = self._patiently(exchange)
        return (None, answer) if not answer.is_closed else (parsed(body), None)

    @contextmanager
    def stream(self, path: str, begun: httpx.Response | None = None) -> Iterator[Stream]:
        """Open a stream of events, or take one that was begun: its pieces, and a function that ends it from another thread."""
        try:
            with closing(self._open("GET", path, None, {"Accept": EVENTS}) if begun is None else begun) as answer:
                if not answer.is_success:
                    raise error_of(self.url, answer, read(answer, MOST_ERROR))
                yield answer.iter_raw(), hanging_up(answer)
        except httpx.TransportError as problem:
            raise self._lost(problem) from None

    def _patiently(
        self, exchange: Exchange, patience: float | None = None, while_busy: WhileBusy | None = None
    ) -> tuple[httpx.Response, Body]:
        seconds = self.patience if patience is None else patience
        waits, quota = Patience(seconds, self.closed), Patience(min(seconds, _QUOTA_PATIENCE), self.closed)
        while True:
            try:
                answer, body = exchange()
            except httpx.TransportError as problem:
                waits.pause(self._lost(problem))
                continue
            except RuntimeError:
                # the library's own words for a client that was closed meanwhile
                self._check_open()
                raise
            if answer.is_success:
                return answer, body
            error, delay = error_of(self.url, answer, body), delay_of(answer)
            if delay is None:
                raise error
            if while_busy is not None and isinstance(error, BusyError):
                while_busy(error)
                self.closed.wait(delay)
            else:
                (quota if isinstance(error, QuotaError) else waits).pause(error, delay)

    def _exchange(self, method: str, path: str, content: Parts | None, into: memoryview | None) -> tuple[httpx.Response, Body]:
        with closing(self._open(method, path, content)) as answer:
            if into is None or not answer.is_success:
                return answer, read(answer, MOST_MESSAGE if answer.is_success else MOST_ERROR)
            read_into(answer, into)
            return answer, b""

    def _open(
        self, method: str, path: str, content: Parts | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a question and return the answer, of which only the head was read."""
        self._check_open()
        told, body = dict(headers or {}), None
        if content is not None:
            kind = _JSON if method == "POST" else "application/octet-stream"
            # request and answer hold each other for a while; an iterator that has ended holds nothing
            told |= {"Content-Type": kind, "Content-Length": str(sum(map(len, content)))}
            body = _pieces(content)
        return self._client.send(self._client.build_request(method, self.url + path, content=body, headers=told), stream=True)

    def _check_open(self) -> None:
        if self.closed.is_set():
            raise ConnectionLostError(self.url, "the connection was closed", "Connect again")

    def _lost(self, problem: httpx.TransportError) -> ConnectionLostError:
        detail = " ".join(str(problem).split())[:200] or type(problem).__name__
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            way_out = "Give the file of the authority that signed it as ca=..., or use the name that it was made for"
            raise ConnectionLostError(self.url, f"shows a certificate that cannot be trusted ({detail})", way_out) from None
        return ConnectionLostError(
            self.url, f"cannot be reached ({detail})", "See that the server runs, and that address and port are right"
        )


def _pieces(parts: Parts) -> Iterator[bytes]:
    for part in parts:
        whole = memoryview(part)
        for start in range(0, len(whole), _PIECE):
            yield bytes(whole[start : start + _PIECE])
