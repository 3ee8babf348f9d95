"""What a chunk is called on both sides: a hash of its bytes."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np

from napari_lightbox.errors import WireError
from napari_lightbox.wire.dtypes import name_of

HASH_BYTES = 16
_HASH = re.compile(rf"[0-9a-f]{{{2 * HASH_BYTES}}}")


def hash_of(*payload: bytes | memoryview) -> str:
    """Return the name of a chunk's payload, in one or more parts: its values, little-endian, in C order."""
    digest = hashlib.sha256()
    for part in payload:
        digest.update(part)
    return digest.hexdigest()[: 2 * HASH_BYTES]


def hash_values(values: Any) -> str:
    """Return the name of a chunk.

    Raises
    ------
    WireError
        Its type does not travel.
    """
    array = np.ascontiguousarray(values, np.dtype(name_of(values.dtype)))
    return hash_of(array.reshape(-1).view(np.uint8).data)


def checked_hash(text: Any) -> str:
    """Return a hash that somebody sent.

    Raises
    ------
    WireError
        It is none.
    """
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise WireError("hash", f"{str(text)[:40]!r} is none", "Send 32 hexadecimal digits in lower case")
    return text
