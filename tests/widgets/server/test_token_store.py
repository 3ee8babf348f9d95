"""Tokens: in the keyring where there is one, never anywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from napari_lightbox.widgets.token_store import TokenStore

ADDRESS = "https://lab.example.org"


def test_a_token_outlasts_the_session_and_goes_when_forgotten(ring: Any) -> None:
    assert TokenStore().get(ADDRESS) == ""
    assert TokenStore().put(ADDRESS, "secret")
    assert TokenStore().get(ADDRESS) == "secret"
    assert TokenStore().get("https://other.example.org") == ""
    store = TokenStore()
    store.forget(ADDRESS)
    store.forget(ADDRESS)
    assert store.get(ADDRESS) == TokenStore().get(ADDRESS) == ""
    assert ring.kept == {}


def refusing(kind: str) -> Any:
    from keyring.backend import KeyringBackend
    from keyring.backends.fail import Keyring as Absent
    from keyring.backends.null import Keyring as Forgetful

    class Locked(KeyringBackend):
        priority = 5

        def get_password(self, service: str, username: str) -> str | None:
            raise RuntimeError("the user declined")

        def set_password(self, service: str, username: str, password: str) -> None:
            raise RuntimeError("the user declined")

    class Plain(KeyringBackend):
        priority = 0.5
        kept: dict[str, str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get(username)

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[username] = password

    class Swallowing(Forgetful):
        priority = 5

    return {"absent": Absent, "locked": Locked, "plain": Plain, "swallowing": Swallowing}[kind]()


@pytest.mark.parametrize("kind", ["absent", "locked", "plain", "swallowing"])
def test_without_a_keyring_it_lasts_for_the_session(kind: str) -> None:
    import keyring

    backend = refusing(kind)
    keyring.set_keyring(backend)
    store = TokenStore()
    assert store.put(ADDRESS, "secret") is False
    assert store.get(ADDRESS) == "secret"
    assert TokenStore().get(ADDRESS) == ""
    store.forget(ADDRESS)
    assert store.get(ADDRESS) == ""
    assert not getattr(backend, "kept", {}), "a plain file is no place for a token"
