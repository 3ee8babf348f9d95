"""The whole server: workers, services, web server, signals, and what is left for the next start."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.server.live import (
    TOKENS,
    array_id,
    finish,
    layout,
    live_server,
    order,
    push,
    register,
    send,
    submit,
    volume,
    wait_for,
)

from napari_lightbox.errors import ParameterError, WriteError
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.server.lock import locked
from napari_lightbox.server.serve import heeding_signals, welcome
from napari_lightbox.server.web_server import listen, url_of

CHUNKS = (1, 16, 16)
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


class Served:
    """`lightbox serve` as a process."""

    def __init__(self, folder: Path, *options: str, token: str | None = None) -> None:
        command = [sys.executable, "-m", "napari_lightbox", "serve", "--port", "0", "--folder", str(folder)]
        command += ["--workers", "1", "--threads", "1", "--least-free", "1MB", *options]
        environment = {k: v for k, v in os.environ.items() if k != "LIGHTBOX_TOKEN"}
        environment |= {} if token is None else {"LIGHTBOX_TOKEN": token}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            lines.append(line)

    @property
    def text(self):
        return "".join(self.lines)

    def until(self, pattern):
        def look():
            found = re.search(pattern, self.text)
            assert found or self.process.poll() is None, "".join(self.errors)
            return found

        return wait_for(look)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join(10)
        return code

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def start():
    started = []

    def start(*arguments, **options):
        started.append(Served(*arguments, **options))
        return started[-1]

    yield start
    for served in started:
        served.kill()


def client_of(url, token):
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False)


@posix
def test_a_server_from_start_to_stop_and_start(start, tmp_path, image):
    first = start(tmp_path)
    url = first.until(r"serves at (\S+)")[1]
    token = first.until(r"(?m)^token=(\S+)$")[1]
    assert first.until(rf'lb\.connect\("{url}", token="{token}"\)')
    with client_of(url, token) as client:
        job = submit(client, order("gaussian_blur", volume(send(client, image, CHUNKS), image, "zyx"), sigma=1))
        assert finish(client, job)["status"] == "done"
        source, _ = register(client, image, CHUNKS, lazy=True)
        left = submit(client, order("invert_intensity", volume(source, image, "zyx")))
        layout(client, left)

    assert first.stop() == 0
    assert first.text.count(token) == 2
    assert token not in "".join(first.errors)
    assert "Traceback" not in "".join(first.errors)

    second = start(tmp_path, token=token)
    url = second.until(r"serves at (\S+)")[1]
    with client_of(url, token) as client:
        assert client.get(f"/v1/jobs/{job}").json()["status"] == "done"
        assert client.get(f"/v1/arrays/{array_id(layout(client, job))}/c/0/0/0").status_code == 200
        push(client, source, image, CHUNKS)
        assert finish(client, left)["status"] == "done"
    assert second.stop(signal.SIGINT) == 0
    assert token not in second.text + "".join(second.errors)
    for path in tmp_path.glob("*.log*"):
        assert token not in path.read_text("ascii")


def test_one_server_at_a_time(tmp_path):
    with locked(tmp_path / "folder"):
        with pytest.raises(ParameterError, match="in use"), locked(tmp_path / "folder"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "folder"):
        assert (tmp_path / "folder").stat().st_mode & 0o077 == 0 or sys.platform == "win32"


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="--folder"), locked(tmp_path / "file" / "folder"):
        pass


def test_a_port_that_is_taken(tmp_path):
    config = ServerConfig(tmp_path, TOKENS)
    with listen(config) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match="--port"):
            listen(ServerConfig(tmp_path, TOKENS, port=port))


def test_answers_leave_at_once(tmp_path):
    """An answer of two parts would else wait 40 ms for the client's nod to the first one."""
    config = ServerConfig(tmp_path, {"admin": "a" * 32}, port=0)
    with listen(config) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ({}, "http://127.0.0.1:"),
        ({"host": "localhost"}, "http://localhost:"),
        ({"host": "0.0.0.0", "insecure_network": True, "names": ("images.example.org",)}, "http://images.example.org:"),
        ({"cert": Path("c"), "key": Path("k")}, "https://127.0.0.1:"),
    ],
)
def test_the_address_for_clients(tmp_path, options, begin):
    config = ServerConfig(tmp_path, TOKENS, **options)
    with listen(config) as listening:
        assert url_of(config, listening).startswith(begin)


def test_tokens_that_somebody_knows_are_not_said(tmp_path):
    lines = "\n".join(welcome(ServerConfig(tmp_path, TOKENS), "http://127.0.0.1:1", show_token=False))
    assert "admin, alice, bob" in lines
    assert not any(token in lines for token in TOKENS.values())


@posix
def test_signals_before_there_is_a_server_interrupt_and_after_that_stop():
    heard = []
    before = signal.getsignal(signal.SIGTERM)
    with heeding_signals() as stops:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        stops.append(lambda: heard.append("stop"))
        signal.raise_signal(signal.SIGTERM)
        assert heard == ["stop"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_encrypted(tmp_path, image):
    openssl = subprocess.run(["sh", "-c", "command -v openssl"], capture_output=True, check=False)
    if openssl.returncode:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(cert), *subject], check=True, capture_output=True)
    with live_server(tmp_path / "server", cert=cert, key=key) as live:
        assert live.url.startswith("https://")
        with live.client(verify=ssl.create_default_context(cafile=str(cert))) as client:
            source = send(client, image, CHUNKS)
            assert client.get(f"/v1/sources/{source}").json()["present"] == 12
        with pytest.raises(httpx.ConnectError), live.client() as client:
            client.get("/v1/greeting")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(live.url.replace("https", "http") + "/v1/greeting", trust_env=False)


def test_nothing_is_built_by_importing_it():
    from fastapi import FastAPI

    import napari_lightbox.server.app as module

    assert not [name for name, value in vars(module).items() if isinstance(value, (FastAPI, ServerConfig))]


def test_a_large_array_is_not_held_twice(tmp_path):
    """The body of a chunk comes in once and goes out piece by piece."""
    image = np.random.default_rng(0).integers(0, 255, (1, 1500, 2000), dtype=np.uint8)
    with live_server(tmp_path) as live, live.client() as client:
        job = submit(client, order("invert_intensity", volume(send(client, image, image.shape), image, "zyx")))
        assert finish(client, job)["status"] == "done"
        array = array_id(layout(client, job))
        with client.stream("GET", f"/v1/arrays/{array}/c/0/0/0") as answer:
            pieces = [len(piece) for piece in answer.iter_raw()]
        assert sum(pieces) == image.nbytes
        assert max(pieces) <= 2**20
