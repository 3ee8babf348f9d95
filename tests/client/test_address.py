"""Addresses are taken apart without ever showing the token that may be in them."""

from __future__ import annotations

import pytest

from napari_lightbox.client.address import choose_token, is_loopback, split_address
from napari_lightbox.errors import AccessError, LightboxError, ParameterError

SECRET = "s3cret-t0ken-that-nobody-sees"


@pytest.mark.parametrize(
    ("url", "base", "token"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", ""),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", ""),
        (f"http://127.0.0.1:8000/#token={SECRET}", "http://127.0.0.1:8000", SECRET),
        (f" https://Example.org/lightbox/#view=1&token={SECRET} ", "https://example.org/lightbox", SECRET),
        ("http://[::1]:9#token=a%2Bb", "http://[::1]:9", "a+b"),
    ],
)
def test_what_an_address_says(url, base, token) -> None:
    assert split_address(url) == (base, token)


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8000", "ftp://host", "http://", f"http://:{SECRET}@host", f"http://{SECRET}@host", f"http://host/?token={SECRET}",
        f"http://host:{SECRET}", f"{SECRET}", f"http://[{SECRET}]/", f"file:///{SECRET}",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(url) -> None:
    with pytest.raises(ParameterError) as caught:
        split_address(url)
    assert SECRET not in str(caught.value)
    assert SECRET.lower() not in str(caught.value).lower()


def test_where_the_token_comes_from(monkeypatch) -> None:
    monkeypatch.setenv("LIGHTBOX_TOKEN", "from-environment")
    assert choose_token("given", "in-address") == "given"
    assert choose_token(None, "in-address") == "in-address"
    assert choose_token(None, "") == "from-environment"
    monkeypatch.delenv("LIGHTBOX_TOKEN")
    with pytest.raises(AccessError, match="LIGHTBOX_TOKEN"):
        choose_token(None, "")


@pytest.mark.parametrize("token", [f"{SECRET}\r\nEvil: 1", f"{SECRET} x", f"{SECRET}é", f"{SECRET}\x00"])
def test_a_token_cannot_smuggle_anything_into_a_header(token) -> None:
    with pytest.raises(LightboxError) as caught:
        choose_token(token, "")
    assert SECRET not in str(caught.value)


def test_what_stays_on_this_machine() -> None:
    assert all(map(is_loopback, ["http://127.0.0.1:1", "http://localhost", "https://[::1]:8", "http://127.8.9.1"]))
    assert not any(map(is_loopback, ["http://127.example.org", "http://localhost.example.org", "https://10.0.0.1"]))
