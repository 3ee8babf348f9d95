"""One real server with two workers for all tests of the client, and connections to it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from tests.client.proxy import Proxy
from tests.client.serving import TOKEN, Server
from tests.client.traffic import Traffic

import napari_lightbox as lb

if any(find_spec(name) is None for name in ("httpx", "fastapi", "uvicorn", "distributed", "sqlalchemy")):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server") / "files", light=False)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """A server without workers, for one file of tests."""
    server = Server(tmp_path_factory.mktemp("light") / "files")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def runner(server):
    with lb.connect(server.url, TOKEN, patience=30) as runner:
        yield runner


@pytest.fixture
def proxy(light):
    proxy = Proxy(light.port)
    yield proxy
    proxy.close()


@pytest.fixture
def traffic(runner):
    """What `runner` sends and fetches from now on."""
    return Traffic(runner)
