"""The HTTP library, which comes with an extra, and how it is set up."""

from __future__ import annotations

import ssl
from pathlib import Path

from napari_lightbox import __version__
from napari_lightbox.client.address import is_loopback
from napari_lightbox.errors import MissingDependencyError, ParameterError
from napari_lightbox.wire.protocol import PROTOCOL

try:
    import httpx
except ModuleNotFoundError as missing:
    raise MissingDependencyError("httpx", "is not installed", "Run: pip install 'napari-lightbox[remote]'") from missing

__all__ = ["GRACE", "httpx", "open_client"]

GRACE = 45.0
_TIMEOUT = httpx.Timeout(GRACE, connect=10.0, pool=None)


def open_client(url: str, token: str, ca: str | Path | None) -> httpx.Client:
    """Return a client that shows the token with every request and follows nobody elsewhere.

    Raises
    ------
    ParameterError
        The file with the authority cannot be used.
    """
    headers = {
        "Authorization": f"Bearer {token}",
        "Lightbox-Protocol": str(PROTOCOL),
        "Lightbox-Version": __version__,
        "User-Agent": f"napari-lightbox/{__version__}",
        "Accept-Encoding": "identity",
    }
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=16)
    # a proxy must not get to see what stays on this machine
    outside = not is_loopback(url)
    return httpx.Client(headers=headers, verify=_trust(ca), timeout=_TIMEOUT, limits=limits, trust_env=outside)


def _trust(ca: str | Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ParameterError("ca", f"cannot be used ({error})", "Give a file with certificates in PEM format") from error
