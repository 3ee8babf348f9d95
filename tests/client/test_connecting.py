"""Connecting works or says in words why it does not; the token shows nowhere."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys

import pytest
from tests.client.serving import TOKEN, Server

import napari_lightbox as lb
from napari_lightbox import __version__
from napari_lightbox.errors import AccessError, ConnectionLostError, LightboxError, ParameterError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_the_token_may_stand_in_the_address_and_shows_nowhere(light, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with lb.connect(f"{light.url}/#token={TOKEN}") as runner:
        assert runner.jobs() == []
        assert runner.greeting.version == __version__
        assert runner.url == light.url
        shown = repr(runner) + repr(runner._link.connection) + repr(runner._link.connection._client)
    assert "HTTP" in caplog.text
    assert TOKEN not in caplog.text + shown
    assert TOKEN not in light.log.read_text()


def test_the_token_may_stand_in_the_environment(light, monkeypatch) -> None:
    monkeypatch.setenv("LIGHTBOX_TOKEN", TOKEN)
    with lb.connect(light.url) as runner:
        assert runner.jobs() == []


def test_a_wrong_token_is_refused(light) -> None:
    with pytest.raises(AccessError, match="wrong") as caught:
        lb.connect(light.url, "not-the-token-0123456789")
    assert "not-the-token" not in str(caught.value)


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLostError, match="cannot be reached") as caught:
        lb.connect(f"http://127.0.0.1:{free_port()}", TOKEN)
    assert "server runs" in caught.value.way_out


def test_an_address_that_answers_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listening.close()
        with pytest.raises(ConnectionLostError):
            lb.connect(f"http://127.0.0.1:{port}", TOKEN, patience=0.5)


def test_a_closed_runner_says_so(light) -> None:
    runner = lb.connect(light.url, TOKEN)
    runner.close()
    runner.close()
    with pytest.raises(ConnectionLostError, match="closed"):
        runner.jobs()


def test_unencrypted_connections_to_other_machines_are_mentioned() -> None:
    with pytest.warns(UserWarning, match="not encrypted"), pytest.raises(LightboxError):
        lb.connect("http://lightbox.invalid:9", TOKEN, patience=0.1)


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A server with a certificate of its own."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(new, check=True, capture_output=True)
    server = Server(folder / "files", cert=str(cert), key=str(key))
    try:
        yield server.start(), cert
    finally:
        server.stop()


def test_certificates_are_checked(certified) -> None:
    server, cert = certified
    assert server.url.startswith("https://")
    with pytest.raises(ConnectionLostError, match="certificate") as caught:
        lb.connect(server.url, TOKEN, patience=60)
    assert "ca=" in caught.value.way_out
    with lb.connect(server.url, TOKEN, ca=cert) as runner:
        assert runner.jobs() == []
    with pytest.raises(ParameterError, match="ca"):
        lb.connect(server.url, TOKEN, ca=cert.with_name("missing.pem"))


def test_without_the_library_the_message_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['httpx'] = None\n"
        "from napari_lightbox.errors import MissingDependencyError\n"
        "import napari_lightbox as lb\n"
        "try:\n    import napari_lightbox.client\n"
        "except MissingDependencyError as error:\n    print(error)\n"
        "try:\n    lb.connect\n"
        "except MissingDependencyError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'napari-lightbox[remote]'") == 2


def test_the_client_is_light() -> None:
    script = "import napari_lightbox as lb; lb.connect; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "httpx" in loaded
    assert not loaded & {"torch", "qtpy", "napari", "fastapi", "distributed", "sqlalchemy", "skimage", "zarr"}
