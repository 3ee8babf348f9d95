"""A `lightbox serve` in a process of its own, on loopback, that can be killed and started again."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
_ADDRESS = re.compile(r"https?://[\w.\[\]:-]+:(\d+)")


class ServerProcess:
    """A server with workers of its own.

    Parameters
    ----------
    folder
        Where it keeps everything; a second server on the same folder goes on with the jobs of the first.
    workers, threads
        Processes and threads of each.
    options
        Further options of the command.
    users
        How many tokens it knows.
    """

    def __init__(self, folder: Path, workers: int = 2, threads: int = 1, options: Sequence[str] = (), users: int = 1) -> None:
        self.folder = folder
        names = ["admin", *(f"user{n}" for n in range(1, users))]
        self.tokens = {name: secrets.token_urlsafe(32) for name in names}
        self.port = 0
        self._options = ["--workers", str(workers), "--threads", str(threads), *options]
        self._process: subprocess.Popen[str] | None = None
        self._said: list[str] = []

    @property
    def token(self) -> str:
        """The token of the first user."""
        return self.tokens["admin"]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it says its address; a second start takes the same port and token."""
        tokens = self.folder / "tokens"
        tokens.touch(mode=0o600)
        tokens.write_text("".join(f"{name} {token}\n" for name, token in self.tokens.items()))
        command = [sys.executable, "-m", "napari_lightbox", "serve", "--folder", str(self.folder), "--port", str(self.port)]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self._said = []
        self._process = subprocess.Popen(
            [*command, "--token-file", str(tokens), *self._options],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        limit = time.monotonic() + START_SECONDS
        while not (found := _ADDRESS.search("".join(self._said))):
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError("the server did not start:\n" + "".join(self._said))
            time.sleep(0.02)
        self.port = int(found[1])

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._said.append(line)

    @property
    def said(self) -> str:
        """What it printed."""
        return "".join(self._said)

    def ask(self, path: str) -> Any:
        """Return what it says at a path."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def workers(self) -> list[psutil.Process]:
        """Return the processes of its workers."""
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            try:
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.Error:
                continue
        return found

    def kill(self) -> None:
        """End it the hard way; its workers notice by themselves."""
        children = psutil.Process(self.pid).children(recursive=True)
        self._end(children)

    def _end(self, children: list[psutil.Process]) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(children, timeout=20)
        for child in alive:
            child.kill()

    def stop(self) -> None:
        """End it the way that Ctrl-C does, or the hard way when that takes long."""
        if self._process is None or self._process.poll() is not None:
            return
        children = psutil.Process(self.pid).children(recursive=True)
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        self._end(children)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it, and show what it said when something went wrong."""
        self.stop()
        if kind is not None:
            print(self.said[-4000:], file=sys.stderr)


@contextmanager
def server(workers: int = 2, threads: int = 1, options: Sequence[str] = (), users: int = 1) -> Iterator[ServerProcess]:
    """Run a server on a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="lightbox-bench-") as folder,
        ServerProcess(Path(folder), workers, threads, options, users) as running,
    ):
        yield running
