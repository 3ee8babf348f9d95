"""Where runs can go: this computer, and the servers that are known."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qtpy.QtCore import QObject, Signal

from napari_lightbox.widgets.connections import Connections, Opened
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.plugin_settings import follow_servers, remember_servers, remembered_servers

if TYPE_CHECKING:
    from napari_lightbox.client.remote_runner import RemoteRunner


@dataclass(frozen=True)
class Server:
    """A server that somebody connected to: its address, and what people call it."""

    address: str
    name: str


class Places(QObject):  # type: ignore[misc]
    """The known servers, the same for all docks; emits `changed` when one comes, goes, connects or parts."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.connections = Connections()
        self._lifeline = Lifeline()
        follow_servers(lambda _: self.changed.emit(), self._lifeline)

    def follow(self, call: Callable[[], Any], lifeline: Lifeline) -> None:
        """Have a method of a widget called after each change, until the lifeline is cut or the widget gone."""
        connection = self.changed.connect(call)
        lifeline.at_end(partial(QObject.disconnect, connection))

    def close(self) -> None:
        """Part from all servers, and hear nothing more."""
        self._lifeline.cut()
        self.connections.close_all()

    @property
    def known(self) -> list[Server]:
        """All servers that are remembered, in the order in which they were met."""
        return read_servers(remembered_servers())

    def runner(self, address: str) -> RemoteRunner | None:
        """Return what runs requests on a server, None while it is not connected."""
        opened = self.connections.opened(address)
        return None if opened is None else opened.runner

    def name(self, address: str) -> str:
        """Return what people call a server."""
        return next((server.name for server in self.known if server.address == address), short_name(address))

    def entered(self, opened: Opened, name: str = "") -> None:
        """Remember a server that was connected to; an empty name leaves the one it has."""
        server = Server(opened.address, name.strip() or self.name(opened.address))
        known = self.known
        if server.address in [k.address for k in known]:
            _keep([server if k.address == server.address else k for k in known])
        else:
            _keep([*known, server])
        self.changed.emit()

    def leave(self, address: str) -> None:
        """Part from a server."""
        threading.Thread(target=self.connections.close, args=(address,), name="lightbox-leave", daemon=True).start()
        self.changed.emit()

    def forget(self, address: str) -> None:
        """Part from a server, and remember neither it nor its token."""
        _keep([server for server in self.known if server.address != address])
        forget = partial(_forget, self.connections, address)
        threading.Thread(target=forget, name="lightbox-leave", daemon=True).start()
        self.changed.emit()


@cache
def places() -> Places:
    """Return the places of this process; connections are closed at its end."""
    made = Places()
    atexit.register(made.close)
    return made


def read_servers(text: str) -> list[Server]:
    """Return the servers in a text such as ``lab = https://lab.example.org, http://127.0.0.1:8000``; what is none is left out."""
    found: dict[str, Server] = {}
    for part in text.split(","):
        before, _, behind = part.partition("#")[0].rpartition("=")
        address = clean_address(behind)
        if address:
            found.setdefault(address, Server(address, before.strip() or short_name(address)))
    return list(found.values())


def write_servers(servers: Sequence[Server]) -> str:
    """Return servers as a text that `read_servers` reads; never a token."""
    return ", ".join(s.address if s.name == short_name(s.address) else f"{_plain(s.name)} = {s.address}" for s in servers)


def clean_address(text: str) -> str:
    """Return an address without a token and in one spelling, empty when it is none."""
    try:
        parts = urlsplit(text.partition("#")[0].strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and (parts.port or True)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}" if usable else ""


def short_name(address: str) -> str:
    """Return the name of a server that nobody named."""
    return urlsplit(address).netloc


def _keep(servers: Sequence[Server]) -> None:
    remember_servers(write_servers(servers))


def _plain(name: str) -> str:
    return "".join(" " if sign in ",=#" else sign for sign in name).strip()


def _forget(connections: Any, address: str) -> None:
    connections.tokens.forget(address)
    connections.close(address)
