"""Options that have a server do the work: where it is, what opens it, and whose certificates to trust."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lightbox.errors import ParameterError, ReadError

if TYPE_CHECKING:
    from napari_lightbox.client.remote_runner import RemoteRunner

_MOST_BYTES = 2**14
_WAY_OUT = "Give a file that holds the token of the server and nothing else"


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("on a server")
    group.add_argument(
        "--server", metavar="URL", help="run there, such as http://127.0.0.1:8000; files are read and written here"
    )
    group.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="file with the token of the server; else #token=... behind the URL, else LIGHTBOX_TOKEN",
    )
    group.add_argument("--ca", metavar="CERT", type=Path, help="certificate of the authority that signed that of the server")


@contextmanager
def server_of(arguments: argparse.Namespace) -> Iterator[RemoteRunner | None]:
    """Yield the server that the options name, None when they name none; what still runs there at the end is cancelled.

    Raises
    ------
    LightboxError
        It cannot be reached, or does not let us in.
    """
    if arguments.server is None:
        for name, value in (("--token-file", arguments.token_file), ("--ca", arguments.ca)):
            if value is not None:
                raise ParameterError(name, "belongs to a server", "Say which with --server URL")
        yield None
        return
    from napari_lightbox.client.connect import connect

    token = None if arguments.token_file is None else read_token(arguments.token_file)
    with connect(arguments.server, token, arguments.ca) as runner:
        yield runner


def read_token(path: Path) -> str:
    """Return the token in a file; the name of its owner may stand before it.

    Raises
    ------
    ReadError
        It cannot be read, others can read it, or it holds something else.
    """
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(str(path), f"cannot be read ({type(error).__name__})", _WAY_OUT) from None
    if sys.platform != "win32" and mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ReadError(str(path), "can be read or changed by other users of this machine", f"Run: chmod 600 {path}")
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1 or len(lines[0]) > 2:
        raise ReadError(str(path), f"holds {len(lines) or 'no'} lines where a token should be", _WAY_OUT)
    return lines[0][-1]
