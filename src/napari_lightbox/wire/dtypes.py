"""Which data types travel, and how they are spelled."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lightbox.errors import WireError
from napari_lightbox.wire.protocol import KINDS


def name_of(dtype: Any) -> str:
    """Return the spelling of a type, such as ``"<u2"``; values travel little-endian.

    Raises
    ------
    WireError
        Objects, text, dates and records do not travel.
    """
    kind = np.dtype(dtype)
    if kind.kind not in KINDS or kind.itemsize > 16 or kind == np.longdouble or kind == np.clongdouble:
        raise WireError("array", f"is of type {kind}", "Send whole numbers, floats up to 64 bits, complex numbers or booleans")
    return str(kind.newbyteorder("<").str)


def type_of(name: Any) -> np.dtype[Any]:
    """Return the type behind a spelling that somebody sent.

    Raises
    ------
    WireError
        It is none that travels.
    """
    if not isinstance(name, str) or not 2 <= len(name) <= 4 or name[0] not in "<|" or name[1] not in KINDS:
        raise WireError("array", f"has no data type that travels: {str(name)[:40]!r}", "Use a client of this version")
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise WireError("array", f"has an unknown data type: {name!r}", "Use a client of this version") from None
    if name_of(dtype) != name:
        raise WireError("array", f"has a data type in another spelling: {name!r}", "Use a client of this version")
    return dtype
