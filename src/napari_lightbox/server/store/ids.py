"""Names of things in the store: 32 hexadecimal digits, safe as the name of a folder."""

from __future__ import annotations

import re
import secrets
from typing import Any

from napari_lightbox.errors import NotFoundError

_ID = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """Return a name that nobody can guess."""
    return secrets.token_hex(16)


def checked_id(text: Any, what: str) -> str:
    """Return an id that somebody sent.

    Raises
    ------
    NotFoundError
        Nothing can have this name.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise NotFoundError(what, f"{str(text)[:40]!r} is not there", "Use an id that this server gave out")
    return text
