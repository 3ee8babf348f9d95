"""A real server, and a keyring of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from tests.client.serving import TOKEN, Server
from tests.widgets.conftest import press, process_until
from tests.widgets.gate import IMAGE, Gate

if any(find_spec(name) is None for name in ("httpx", "keyring", "fastapi", "uvicorn", "sqlalchemy")):
    collect_ignore_glob = ["test_*.py"]

TALL = np.concatenate([IMAGE + i for i in range(8)])


@pytest.fixture(scope="session")
def server(tmp_path_factory: Any) -> Iterator[Server]:
    """A server without workers."""
    server = Server(tmp_path_factory.mktemp("server") / "files")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def mortal(tmp_path: Any) -> Iterator[Server]:
    """A server that a test may kill."""
    server = Server(tmp_path / "files")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def ring() -> Iterator[Any]:
    """A keyring in memory; nothing of it, of the places or of earlier outages outlives the test."""
    import keyring
    from keyring.backend import KeyringBackend

    from napari_lightbox.widgets import outages
    from napari_lightbox.widgets.places import places
    from napari_lightbox.widgets.plugin_settings import remember_servers

    class Memory(KeyringBackend):
        priority = 5

        def __init__(self) -> None:
            super().__init__()
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    places.cache_clear()
    outages._told.clear()
    yield memory
    places().close()
    places.cache_clear()
    remember_servers("")
    keyring.set_keyring(before)


@pytest.fixture
def connected(viewer: Any, server: Server) -> str:
    """The address of the server, to which the window is connected."""
    return meet(server)


def meet(server: Server) -> str:
    from napari_lightbox.widgets.places import places

    places().entered(places().connections.open(server.url, TOKEN), "lab")
    return server.url


@pytest.fixture
def server_dock(viewer: Any) -> Callable[[], Any]:
    """Open the Server dock, in sight, in a window of its own: napari's would draw its canvas, which needs OpenGL."""
    docks: list[Any] = []

    def opened() -> Any:
        from napari_lightbox.widgets.server_dock import ServerDock

        docks.append(ServerDock(viewer))
        docks[-1].show()
        process_until(docks[-1].isVisible)
        return docks[-1]

    yield opened
    for dock in docks:
        # one that was taken out of the window is gone already
        with suppress(RuntimeError):
            dock.close()


@pytest.fixture
def tall() -> Iterator[Gate]:
    """Far more planes than the server works on at a time."""
    made = Gate(TALL)
    yield made
    made.open()


@pytest.fixture
def on_server(viewer: Any, open_dock: Callable[[str], Any]) -> Callable[[str, str], Any]:
    """Open the dock of a technique and choose a server."""

    def opened(technique: str, address: str) -> Any:
        dock = open_dock(technique)
        dock.run_on.choose(address)
        return dock

    return opened


def run(dock: Any) -> None:
    """Press Run and wait until the whole result is in the viewer."""
    press(dock.bar.run)
    process_until(lambda: not dock.bar.busy and not any(remote.busy for remote in dock._remote))


def messages() -> list[str]:
    from napari.utils.notifications import notification_manager

    return [record.message for record in notification_manager.records]
