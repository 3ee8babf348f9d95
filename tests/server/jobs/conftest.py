"""Services with the threads of this process."""

from __future__ import annotations

import pytest
from tests.server.jobs.served import Kernels, served


@pytest.fixture
def services(tmp_path):
    with served(tmp_path / "server") as services:
        yield services


@pytest.fixture
def kernels(monkeypatch):
    kernels = Kernels(monkeypatch)
    yield kernels
    kernels.go()
