"""Errors as answers: which status each type has, and the typed body that clients turn back into the error."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from napari_lightbox.errors import (
    AccessError,
    BusyError,
    GoneError,
    LightboxError,
    NotFoundError,
    QuotaError,
    ServerError,
    SpaceError,
    UnknownTechniqueError,
    VersionError,
    WireError,
)
from napari_lightbox.server.discreet import Discreet
from napari_lightbox.wire import encode_error

_LONGEST = 2000


class TooLargeError(WireError):
    """A message or chunk is larger than the server takes."""


class TooSlowError(WireError):
    """A message does not come in."""


class HeadersError(WireError):
    """There are too many headers, or they are too long."""


class MethodError(WireError):
    """Nobody can do such a thing here."""


class RangeError(WireError):
    """There are no such bytes."""


class WrongHostError(AccessError):
    """The request was meant for another server."""


class AttemptsError(QuotaError):
    """Too many wrong tokens came from one address."""


class NotYetError(BusyError):
    """It will be known, but is not yet."""


_STATUS: dict[type[Exception], int] = {
    AccessError: 401,
    WrongHostError: 421,
    VersionError: 426,
    NotFoundError: 404,
    UnknownTechniqueError: 404,
    GoneError: 410,
    QuotaError: 429,
    BusyError: 503,
    NotYetError: 409,
    SpaceError: 507,
    WireError: 400,
    TooLargeError: 413,
    TooSlowError: 408,
    HeadersError: 431,
    MethodError: 405,
    RangeError: 416,
    ServerError: 500,
    LightboxError: 422,
    Exception: 500,
}
_SECONDS: dict[type[Exception], int] = {BusyError: 1, AttemptsError: 30, QuotaError: 10}


def status_of(error: Exception) -> int:
    """Return the status of the answer for an error."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def fault_response(error: Exception, hide: Discreet) -> JSONResponse:
    """Return the answer for an error, without any token in it."""
    ours = _ours(error)
    body = {name: hide(text)[:_LONGEST] for name, text in encode_error(ours).items()}
    seconds = next((_SECONDS[kind] for kind in type(ours).__mro__ if kind in _SECONDS), None)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    if isinstance(error, HTTPException) and error.headers:
        headers |= dict(error.headers)
    if isinstance(ours, AccessError) and not isinstance(ours, WrongHostError):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_of(ours), headers)


def _ours(error: Exception) -> Exception:
    """Return the error of this project behind one of the web framework."""
    if isinstance(error, RequestValidationError):
        return _of_validation(error.errors())
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            return MethodError("request", "cannot be made with this method", "See the list at /v1/openapi.json")
        if error.status_code == 404:
            return NotFoundError("address", "leads to nothing", "See the list at /v1/openapi.json")
        return WireError("request", "cannot be read", "Use a client of this version")
    return error


def _of_validation(faults: Any) -> LightboxError:
    """Say which field is wrong, and why, without repeating what was sent."""
    first = faults[0]
    where = ".".join(str(part)[:40] for part in first["loc"][1:][:8]) or "request"
    if first["loc"][0] == "path":
        return NotFoundError(where, "cannot be the name of anything", "Use the names that the server gave")
    return WireError(where, str(first["msg"]).partition("\n")[0][:200], "Use a client of this version")
