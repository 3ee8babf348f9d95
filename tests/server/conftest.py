"""A server for all tests of a module."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory):
    from tests.server.live import live_server

    root = tmp_path_factory.mktemp("root")
    with live_server(tmp_path_factory.mktemp("server"), roots=(root,)) as live:
        yield live


@pytest.fixture
def alice(live):
    with live.client("alice") as client:
        yield client


@pytest.fixture
def bob(live):
    with live.client("bob") as client:
        yield client


@pytest.fixture
def image():
    """A small image whose chunks do not divide it."""
    return np.random.default_rng(0).integers(0, 60_000, (3, 20, 30), dtype=np.uint16)
