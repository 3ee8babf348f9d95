"""`lb.connect`: from an address and a token to a runner."""

from __future__ import annotations

import warnings
from pathlib import Path

from napari_lightbox.client.address import choose_token, is_loopback, split_address
from napari_lightbox.client.connection import PATIENCE, Connection
from napari_lightbox.client.remote_runner import RemoteRunner


def connect(url: str, token: str | None = None, ca: str | Path | None = None, *, patience: float = PATIENCE) -> RemoteRunner:
    """Connect to a Lightbox server.

    Parameters
    ----------
    url
        Address, such as ``"https://host.example.org"``, with or without the token as ``#token=...`` behind it.
    token
        What the server printed when it started; without it the one in the address is taken, else that of the environment
        variable ``LIGHTBOX_TOKEN``.
    ca
        File with the authority that signed the server's certificate, when it is not one that the system trusts.
    patience
        Seconds to go on trying when the connection is lost later.

    Returns
    -------
    runner
        Takes requests as the local runner does, and has ``apply``, ``find`` and ``jobs``.

    Raises
    ------
    ConnectionLostError
        Nobody answers, or the certificate cannot be trusted.
    AccessError
        The token is missing or wrong.
    VersionError
        The server speaks another protocol.
    """
    base, in_address = split_address(url)
    token = choose_token(token, in_address)
    if base.startswith("http:") and not is_loopback(base):
        warnings.warn(f"the connection to {base} is not encrypted: the token and the images can be read on the way", stacklevel=2)
    connection = Connection(base, token, ca, patience)
    try:
        connection.greet()
        return RemoteRunner(connection)
    except BaseException:
        connection.close()
        raise
