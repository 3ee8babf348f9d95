"""What a person types to name a server: its address and, perhaps, the token behind it."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from napari_lightbox.errors import AccessError, ParameterError

TOKEN_VARIABLE = "LIGHTBOX_TOKEN"
_EXAMPLE = "Write it like http://127.0.0.1:8000 or https://host.example.org"


def split_address(url: str) -> tuple[str, str]:
    """Return an address without what follows ``#``, and the token that stood there.

    No message holds the address as it was typed, since a token may be in it.

    Raises
    ------
    ParameterError
        It is no http or https address.
    """
    try:
        parts = urlsplit(str(url).strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ParameterError("url", "is no address", _EXAMPLE) from None
    if parts.scheme not in ("http", "https") or not host:
        raise ParameterError("url", "is no http or https address", _EXAMPLE)
    if parts.username is not None or parts.password is not None or parts.query:
        raise ParameterError("url", "holds a name, a password or a question", "Give the token as token=... or as #token=...")
    name = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"
    return base, _token_in(parts.fragment)


def choose_token(given: str | None, in_address: str) -> str:
    """Return the token: the one given, else the one in the address, else the environment's.

    Raises
    ------
    AccessError
        There is none.
    ParameterError
        It cannot be one.
    """
    token = given or in_address or os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise AccessError("token", "is missing", f"Give the one that the server printed: token=..., or set {TOKEN_VARIABLE}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ParameterError("token", "holds spaces or special letters", "Copy it again as the server printed it")
    return token


def is_loopback(url: str) -> bool:
    """Tell whether an address leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _token_in(fragment: str) -> str:
    for part in fragment.split("&"):
        name, _, value = part.partition("=")
        if name == "token":
            return unquote(value)
    return ""
