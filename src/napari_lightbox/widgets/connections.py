"""Open connections to servers, by address; nothing in it is a Qt object, so that any thread may hold it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_lightbox.errors import AccessError, LightboxError
from napari_lightbox.widgets.token_store import TokenStore

if TYPE_CHECKING:
    from napari_lightbox.client.remote_runner import RemoteRunner

PATIENCE = 20.0


@dataclass(frozen=True)
class Opened:
    """A server that let us in, and whether its token is kept beyond this session."""

    address: str
    runner: RemoteRunner
    kept: bool


class Connections:
    """At most one connection per server; all calls may take their time and belong into a thread of their own."""

    def __init__(self) -> None:
        self.tokens = TokenStore()
        self._open: dict[str, Opened] = {}
        self._lock = threading.Lock()

    def opened(self, address: str) -> Opened | None:
        """Return the connection to a server, None while there is none; never waits."""
        return self._open.get(address)

    def open(self, address: str, token: str = "", certificate: str = "") -> Opened:
        """Connect to a server, unless that is done.

        Parameters
        ----------
        address
            As the server printed it, with or without the token behind ``#``.
        token
            What opens it; when empty the one in the address, the one kept from before, or that of the environment.
        certificate
            File of the authority that signed the server's certificate, when the system does not know it.

        Raises
        ------
        LightboxError
            Nobody answers, or the server does not let us in.
        """
        from napari_lightbox.client.address import choose_token, split_address
        from napari_lightbox.client.connect import connect

        base, in_address = split_address(address)
        present = self._open.get(base)
        given = token or in_address
        if present is not None and not given:
            return present
        try:
            token = choose_token(given or self.tokens.get(base), "")
            runner = connect(base, token, certificate or None, patience=PATIENCE)
        except AccessError as error:
            raise AccessError(error.subject, error.reason, "In the Server dock, enter the one that the server printed") from error
        opened = Opened(base, runner, self.tokens.put(base, token))
        with self._lock:
            before, self._open[base] = self._open.get(base), opened
        if before is not None:
            _end(before.runner)
        return opened

    def close(self, address: str) -> None:
        """Part from a server; what it runs goes on."""
        with self._lock:
            opened = self._open.pop(address, None)
        if opened is not None:
            _end(opened.runner)

    def close_all(self) -> None:
        """Part from all servers."""
        for address in list(self._open):
            self.close(address)


def _end(runner: RemoteRunner) -> None:
    # the server may be gone, which is no news to whoever leaves
    with suppress(LightboxError):
        runner.close(keep=True)
