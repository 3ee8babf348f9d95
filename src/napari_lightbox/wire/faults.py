"""Errors as JSON: the same type with the same words on the other side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_lightbox import errors
from napari_lightbox.errors import LightboxError, ServerError

_TYPES = {name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, LightboxError)}
_LONGEST = 2000


def encode_error(error: BaseException) -> dict[str, str]:
    """Return an error as JSON-ready data; of one that is not ours only its type, which tells an outsider nothing."""
    if not isinstance(error, LightboxError):
        error = ServerError("server", f"failed with {type(error).__name__}", "Look into the log of the server")
    kind = next(t.__name__ for t in type(error).__mro__ if t.__name__ in _TYPES)
    return {"error": kind, "subject": error.subject, "reason": error.reason, "way_out": error.way_out}


def decode_error(data: Any) -> LightboxError:
    """Return the error that somebody sent; what is none becomes a `ServerError`."""
    words = [data.get(k) for k in ("subject", "reason", "way_out")] if isinstance(data, Mapping) else []
    if len(words) != 3 or not all(isinstance(word, str) for word in words):
        return ServerError("server", "answered with something that is no answer", "Is this address a Lightbox server?")
    return _TYPES.get(str(data.get("error")), ServerError)(*(str(word)[:_LONGEST] for word in words))
