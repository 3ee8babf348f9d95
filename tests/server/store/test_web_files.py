"""An OME-Zarr on a web server is read chunk by chunk; redirects, floods and half answers are errors."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tests.server.store.stores import values_of

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AccessError, ReadError
from napari_lightbox.server.store import References, web_files
from napari_lightbox.server.store.addresses import Address
from napari_lightbox.server.store.web_files import WebFiles


@pytest.fixture
def serve():
    """Start web servers on free ports of this machine; all are stopped at the end."""
    running: list[ThreadingHTTPServer] = []

    def start(handler: Callable, context: ssl.SSLContext | None = None) -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server.server_address[1]

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def folder_handler(folder, seen=None) -> type:
    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args) -> None:
            super().__init__(*args, directory=str(folder))

        def do_GET(self) -> None:
            if seen is not None:
                seen.append((self.path, dict(self.headers)))
            super().do_GET()

        def log_message(self, *_) -> None:
            pass

    return Handler


def answer_handler(answer: Callable[[BaseHTTPRequestHandler], None]) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_) -> None:
            pass

    return Handler


def files_at(port: int, path: str = "") -> WebFiles:
    return WebFiles(Address("http", "127.0.0.1", port, path, True))


def respond(status: int, body: bytes = b"", **headers: str) -> Callable:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def image(tmp_path):
    data = values_of("<u2", (3, 40, 50))
    lb.write(
        tmp_path / "a b.ome.zarr",
        Volume(data, Geometry.of("zyx", data.shape, (2.0, 0.5, 0.5), units=("um",) * 3), {}, "image", "cells"),
    )
    return data


def test_an_image_of_an_allowed_host(tmp_path, image, serve) -> None:
    seen: list = []
    port = serve(folder_handler(tmp_path, seen))
    references = References([], [f"127.0.0.1:{port}"])
    reference = references.open(f"http://127.0.0.1:{port}/a%20b.ome.zarr")
    assert all("/c/" not in path for path, _ in seen), "opening reads no pixels"
    assert (reference.role, reference.volume.axes, reference.geometry.spacing) == ("image", "zyx", (2.0, 0.5, 0.5))
    assert (reference.card.shape, reference.card.dtype) == (image.shape, "<u2")
    assert np.array_equal(reference.volume.data.compute(), image)
    assert all(headers["Host"] == f"127.0.0.1:{port}" for _, headers in seen)
    assert references.open(f"http://127.0.0.1:{port}/a%20b.ome.zarr").id == reference.id


def test_other_hosts_are_not_asked(serve, tmp_path) -> None:
    seen: list = []
    port = serve(folder_handler(tmp_path, seen))
    for hosts in ([], ["127.0.0.1:1"], ["localhost"], ["example.org"]):
        with pytest.raises(AccessError):
            References([tmp_path], hosts).open(f"http://127.0.0.1:{port}/a.zarr")
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(serve, tmp_path, image, status) -> None:
    seen: list = []
    other = serve(folder_handler(tmp_path, seen))
    port = serve(answer_handler(respond(status, Location=f"http://127.0.0.1:{other}/zarr.json")))
    with pytest.raises(AccessError, match="another address"):
        files_at(port).get("zarr.json", 1000)
    assert seen == []


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (respond(200, b"x" * 1001), "larger than 1000"),
        (respond(200, b"x", Content_Length="1000000000000"), "larger than 1000"),
        (respond(200, b"x" * 10, Content_Encoding="gzip"), "compressed"),
        (respond(500), "status 500"),
        (respond(403), "status 403"),
        (respond(206, b"x"), "status 206"),
        (respond(204), "status 204"),
    ],
)
def test_answers_that_are_not_taken(serve, answer, match) -> None:
    files = files_at(serve(answer_handler(answer)))
    with pytest.raises(ReadError, match=match):
        files.get("zarr.json", 1000)


def test_a_flood_without_a_length(serve) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 2**16)
        except OSError:
            handler.close_connection = True

    with pytest.raises(ReadError, match="larger than"):
        files_at(serve(answer_handler(flood))).get("zarr.json", 2**20)


def test_an_answer_that_is_cut_off(serve) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        respond(200, b"half", Content_Length="8")(handler)
        handler.close_connection = True

    with pytest.raises(ReadError):
        files_at(serve(answer_handler(cut))).get("zarr.json", 1000)


def test_an_answer_that_takes_for_ever(serve, monkeypatch) -> None:
    release = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "500")
        handler.end_headers()
        for _ in range(500):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            if release.wait(0.01):
                return

    monkeypatch.setattr(web_files, "_LONGEST", 0.1)
    port = serve(answer_handler(drip))
    with pytest.raises(ReadError, match="takes longer"):
        files_at(port).get("zarr.json", 1000)
    release.set()


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there(serve, status) -> None:
    files = files_at(serve(answer_handler(respond(status, b"no such thing"))))
    assert files.get("zarr.json", 1000) is None
    assert files.part("c/0", 0, 10) is None


def test_nobody_answers(serve, tmp_path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        files_at(1).get("zarr.json", 1000)


def test_parts_of_files(serve) -> None:
    body = bytes(range(200))

    def ranged(handler: BaseHTTPRequestHandler) -> None:
        first, _, last = handler.headers["Range"].removeprefix("bytes=").partition("-")
        part = body[int(first) : int(last) + 1] if first else body[-int(last) :]
        respond(206, part)(handler)

    files = files_at(serve(answer_handler(ranged)))
    assert files.part("c/0", 10, 5) == body[10:15]
    assert files.part("c/0", -7, 7) == body[-7:]
    whole = files_at(serve(answer_handler(respond(200, body))))
    with pytest.raises(ReadError, match="parts"):
        whole.part("c/0", 0, 5)


def test_a_connection_that_went_stale_is_made_anew(serve) -> None:
    def once(handler: BaseHTTPRequestHandler) -> None:
        respond(200, b"hello")(handler)
        handler.close_connection = True

    files = files_at(serve(answer_handler(once)))
    assert [files.get("a", 10) for _ in range(3)] == [b"hello"] * 3


def test_the_rest_of_a_refused_answer_is_not_taken_for_the_next(serve) -> None:
    def by_path(handler: BaseHTTPRequestHandler) -> None:
        respond(200, b"x" * 5000 if handler.path == "/large" else b"small")(handler)

    files = files_at(serve(answer_handler(by_path)))
    with pytest.raises(ReadError, match="larger"):
        files.get("large", 10)
    assert files.get("small", 10) == b"small"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate")
def test_encrypted_servers_must_prove_who_they_are(serve, tmp_path, image, monkeypatch) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    subprocess.run(
        [*make, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    port = serve(folder_handler(tmp_path), context)
    location = f"https://127.0.0.1:{port}/a%20b.ome.zarr"
    with pytest.raises(ReadError, match="CERTIFICATE_VERIFY_FAILED"):
        References([], [f"127.0.0.1:{port}"]).open(location)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert np.array_equal(References([], [f"127.0.0.1:{port}"]).open(location).volume.data.compute(), image)


def test_a_server_that_does_not_encrypt_is_not_asked_again_in_the_clear(serve, tmp_path, image) -> None:
    seen: list = []
    port = serve(folder_handler(tmp_path, seen))
    with pytest.raises(ReadError):
        WebFiles(Address("https", "127.0.0.1", port, "", True)).get("zarr.json", 1000)
    assert seen == []
