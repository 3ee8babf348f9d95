"""Put a file in its place in one step, readable by its owner alone."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from napari_lightbox.errors import ServerError, SpaceError

Payload = bytes | bytearray | memoryview | Sequence[memoryview]
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def private_folder(folder: Path) -> Path:
    """Make a folder that nobody else can look into, and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def place(target: Path, payload: Payload, parts: Path | None = None) -> None:
    """Write a file that is there whole or not at all, whoever writes it at the same time.

    Parameters
    ----------
    target
        Where it goes; its folder is made when it is missing.
    payload
        What it holds, in one or more parts.
    parts
        Folder on the same disk for what is not finished; the folder of `target` itself without.

    Raises
    ------
    SpaceError
        The disk is full; nothing was left behind.
    ServerError
        The system refuses.
    """
    part = (parts or target.parent) / f".{target.name[:32]}-{os.getpid()}-{secrets.token_hex(8)}.part"
    try:
        try:
            _write(part, payload)
        except FileNotFoundError:
            if parts is not None:
                raise
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(part, payload)
        _move(part, target)
    except OSError as error:
        raise _refused(error) from error
    finally:
        part.unlink(missing_ok=True)


def _write(part: Path, payload: Payload) -> None:
    with os.fdopen(os.open(part, _FLAGS, 0o600), "wb") as file:
        file.writelines([payload] if isinstance(payload, (bytes, bytearray, memoryview)) else payload)


def _move(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except FileNotFoundError:
        # a folder that was deleted with the part in it stays deleted
        if not part.exists():
            raise
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.replace(target)
    except PermissionError:
        # Windows does not replace a file that somebody reads; it holds the same already
        if not target.exists():
            raise


def _refused(error: OSError) -> SpaceError | ServerError:
    if error.errno in _FULL:
        return SpaceError("disk", "has no space left on the server", "Delete jobs that are no longer needed, or ask the operator")
    return ServerError("disk", f"cannot be written ({error.strerror})", "Ask the operator to look at the server's folder")
