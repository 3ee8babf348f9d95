from __future__ import annotations

from pathlib import Path

import pytest

from napari_lightbox.errors import ParameterError
from napari_lightbox.server.config import Limits, ServerConfig

TOKEN = "t" * 20


def config(**changes):
    return ServerConfig(**{"folder": Path("x"), "tokens": {"admin": TOKEN}} | changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_tls(host):
    assert config(host=host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_the_network_needs_tls_or_a_word(host):
    with pytest.raises(ParameterError, match="--insecure-network"):
        config(host=host)
    assert config(host=host, insecure_network=True).host == host
    assert config(host=host, cert=Path("c"), key=Path("k")).tls


def test_a_token_is_never_shown():
    shown = config(tokens={"admin": TOKEN, "bob": "b" * 20})
    assert TOKEN not in repr(shown)
    with pytest.raises(ParameterError) as caught:
        config(tokens={"admin": TOKEN, "bob": TOKEN})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": {}},
        {"tokens": {"admin": "short"}},
        {"tokens": {"a b": TOKEN}},
        {"tokens": {"a\nb": TOKEN}},
        {"tokens": {"admin": "with space 0123456789"}},
        {"port": -1},
        {"port": 65536},
        {"workers": 0},
        {"threads": -1},
        {"memory": 0},
        {"cert": Path("c")},
        {"key": Path("k")},
    ],
)
def test_what_cannot_be_is_refused(changes):
    with pytest.raises(ParameterError):
        config(**changes)


@pytest.mark.parametrize("changes", [{"body": 0}, {"bodies": -1}, {"lease": 0.0}, {"least_free": -1}])
def test_limits_that_let_nothing_through_are_refused(changes):
    with pytest.raises(ParameterError):
        Limits(**changes)
