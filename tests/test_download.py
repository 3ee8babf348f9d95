"""Downloads against a real server in this process: checked, resumed, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_lightbox.download import download
from napari_lightbox.errors import DownloadError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT by range, with the troubles that a path names."""

    requests: list[str]
    cut: int

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        type(self).requests.append(asked)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://example.org/file")
            self.end_headers()
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        data, start = CONTENT, 0
        if self.path == "/evil":
            data = bytes(reversed(CONTENT))
        if self.path == "/endless":
            data = CONTENT + CONTENT
        if asked and self.path != "/norange":
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = len(data)
        if self.path == "/flaky" and type(self).cut:
            stop, type(self).cut = start + type(self).cut, 0
        self.wfile.write(data[start:stop])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[str, type[Handler]]]:
    """Serve CONTENT on this machine."""
    handler = type("Own", (Handler,), {"requests": [], "cut": 0})
    instance = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=instance.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{instance.server_port}", handler
    instance.shutdown()
    instance.server_close()
    thread.join()


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    with serving() as served:
        yield served


def test_a_file_arrives_once(server: Any, tmp_path: Path) -> None:
    url, handler = server
    seen: list[float] = []
    path = download(f"{url}/file", tmp_path / "new" / "model.bin", SHA, size=len(CONTENT), report=seen.append)
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == 1
    download(f"{url}/file", path, SHA)
    assert len(handler.requests) == 1, "what is there is not fetched again"
    assert [p.name for p in path.parent.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_broken_connection_is_resumed(server: Any, tmp_path: Path, size: int | None) -> None:
    url, handler = server
    handler.cut = 1_200_000
    with pytest.raises(DownloadError, match="goes on where it stopped"):
        download(f"{url}/flaky", tmp_path / "f", SHA, size=size)
    assert not (tmp_path / "f").exists()
    assert download(f"{url}/flaky", tmp_path / "f", SHA, size=size).read_bytes() == CONTENT
    assert handler.requests == ["", "bytes=1200000-"]


def test_a_cancelled_download_is_resumed(server: Any, tmp_path: Path) -> None:
    url, handler = server

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(f"{url}/file", tmp_path / "f", SHA, report=stop)
    assert not (tmp_path / "f").exists()
    assert download(f"{url}/file", tmp_path / "f", SHA).read_bytes() == CONTENT
    assert handler.requests[1].startswith("bytes=")


def test_a_server_without_ranges_starts_over(server: Any, tmp_path: Path) -> None:
    url, _ = server
    (tmp_path / f"f.{SHA[:8]}.part").write_bytes(CONTENT[:1000])
    assert download(f"{url}/norange", tmp_path / "f", SHA).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 50])
def test_a_spoilt_beginning_is_thrown_away(server: Any, tmp_path: Path, length: int) -> None:
    url, _ = server
    (tmp_path / f"f.{SHA[:8]}.part").write_bytes(b"x" * length)
    assert download(f"{url}/file", tmp_path / "f", SHA).read_bytes() == CONTENT


def test_another_file_than_promised_is_not_kept(server: Any, tmp_path: Path) -> None:
    url, _ = server
    with pytest.raises(DownloadError, match="checksum"):
        download(f"{url}/evil", tmp_path / "f", SHA)
    assert not any(tmp_path.iterdir())


def test_a_damaged_copy_is_replaced(server: Any, tmp_path: Path) -> None:
    url, _ = server
    (tmp_path / "f").write_bytes(b"damaged")
    assert download(f"{url}/file", tmp_path / "f", SHA).read_bytes() == CONTENT


def test_no_more_than_promised_is_taken(server: Any, tmp_path: Path) -> None:
    url, _ = server
    with pytest.raises(DownloadError, match="more than"):
        download(f"{url}/endless", tmp_path / "f", SHA, size=len(CONTENT))
    assert not (tmp_path / "f").exists()


def test_the_server_says_no(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404"):
        download(f"{server[0]}/absent", tmp_path / "f", SHA)


@pytest.mark.parametrize(
    "url", ["http://example.org/f", "ftp://example.org/f", "file:///etc/passwd", "//x/y", "http://127.0.0.1.evil.org/f"]
)
def test_only_https(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="https"):
        download(url, tmp_path / "f", SHA)


def test_a_redirect_does_not_leave_encryption(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not an https address"):
        download(f"{server[0]}/away", tmp_path / "f", SHA)


def test_without_a_network_the_way_out_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"bring the file as .*model\.bin"):
        download("http://127.0.0.1:9/f", tmp_path / "model.bin", SHA)
