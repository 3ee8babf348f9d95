"""The peer in an environment of its own below the cache folder: installed once, started on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_lightbox.settings import settings

REQUIREMENT = "imaging-server-kit==0.3.1"
SCRIPT = Path(__file__).parent / "peer_process.py"
START_SECONDS = 120.0


class NoPeerError(Exception):
    """The peer cannot be installed or started here."""


def environment() -> Path:
    """Return the Python of an environment with the peer, made at the first call.

    Raises
    ------
    NoPeerError
        It cannot be installed.
    """
    folder = settings().cache_folder / "benchmarks" / REQUIREMENT.replace("==", "-")
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (folder / "ready").is_file():
        venv.create(folder, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoPeerError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
        (folder / "ready").touch()
    return python


@contextmanager
def peer_server(python: Path) -> Iterator[tuple[int, int]]:
    """Run the peer; gives its port and process.

    Raises
    ------
    NoPeerError
        It does not answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([str(python), str(SCRIPT), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise NoPeerError("it does not start")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/algorithms", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
