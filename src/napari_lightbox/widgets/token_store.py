"""Tokens of servers: in the keyring of the system where there is one, else for this session only."""

from __future__ import annotations

from typing import Any

SERVICE = "napari-lightbox"
_SAFE_ENOUGH = 1.0


class TokenStore:
    """What opens each server, by address; no token is ever written to a file of ours.

    The keyring may ask the user something: call it in no thread that the window needs.
    """

    def __init__(self) -> None:
        self._here: dict[str, str] = {}

    def get(self, address: str) -> str:
        """Return the token of a server, empty when none is known."""
        if address in self._here:
            return self._here[address]
        ring = _keyring()
        return "" if ring is None else str(_tried(ring.get_password, SERVICE, address) or "")

    def put(self, address: str, token: str) -> bool:
        """Keep a token; tells whether it outlasts this session."""
        self._here[address] = token
        ring = _keyring()
        if ring is None:
            return False
        _tried(ring.set_password, SERVICE, address, token)
        # some keyrings take everything and keep nothing
        return bool(_tried(ring.get_password, SERVICE, address) == token)

    def forget(self, address: str) -> None:
        """Keep the token of a server no longer."""
        self._here.pop(address, None)
        ring = _keyring()
        if ring is not None and _tried(ring.get_password, SERVICE, address) is not None:
            _tried(ring.delete_password, SERVICE, address)


def _keyring() -> Any:
    """Return the keyring of the system, None when there is none, or one that writes plain text."""
    try:
        import keyring
    except ImportError:
        return None
    ring = _tried(keyring.get_keyring)
    return ring if float(_tried(getattr, ring, "priority", 0.0) or 0.0) >= _SAFE_ENOUGH else None


def _tried(call: Any, *arguments: Any) -> Any:
    """Return what a keyring answers, None when it fails: it may be locked, or its user may decline."""
    try:
        return call(*arguments)
    except Exception:  # noqa: BLE001 - every keyring fails in its own words, and all of them mean that there is no token
        return None
