"""One server at a time on a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from napari_lightbox.errors import ParameterError, WriteError

FILE_NAME = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for the length of a with block; a server that dies lets go of it.

    Raises
    ------
    ParameterError
        Another server holds it.
    WriteError
        The folder cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / FILE_NAME).open("a+b")
    except OSError as error:
        raise WriteError(str(folder), f"cannot be used ({error.strerror})", "Give another one with --folder") from error
    with file:
        try:
            _take(file)
        except OSError:
            raise ParameterError(
                "folder", f"{folder} is in use by another server", "Stop that one, or give another one with --folder"
            ) from None
        yield


def _take(file: BinaryIO) -> None:
    """Take the lock of an open file; closing the file gives it back."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
