"""A store in a temporary folder, and processes that end with their test."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.server.store.stores import Store, make_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


@pytest.fixture
def python():
    """Start Python processes with some code and arguments; whatever still runs at the end is killed."""
    running: list[subprocess.Popen] = []

    def start(code: str, *args: object) -> subprocess.Popen:
        command = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
