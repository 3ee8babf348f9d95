"""Folders that references may read: nothing that ends outside of them is opened, however it is spelled or linked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from napari_lightbox.errors import AccessError, NotFoundError, ReadError

_LONGEST = 4096
_MOST_ENTRIES = 100_000
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Roots:
    """The allowed folders.

    Parameters
    ----------
    folders
        Those that may be read, with all that is below.
    private
        A folder that may not, even below one of them: where the server keeps what belongs to its users.
    """

    def __init__(self, folders: Sequence[Path], private: Path | None = None) -> None:
        self.folders = tuple(Path(os.path.realpath(f)) for f in folders)
        self.private = None if private is None else Path(os.path.realpath(private))

    def find(self, location: Any) -> tuple[Path, Path]:
        """Return the real path of a file or folder, without links, and the root that it lies below.

        Raises
        ------
        AccessError
            It ends outside of all roots, or is neither a file nor a folder.
        NotFoundError
            It would be inside, but does not exist.
        """
        text = checked_location(location)
        given = Path(text)
        candidates = [given] if given.is_absolute() else [root / given for root in self.folders]
        inside = [found for found in map(self._inside, candidates) if found is not None]
        if not inside:
            raise self._outside(text)
        real, root = next(((p, r) for p, r in inside if os.path.lexists(p)), inside[0])
        check_kind(real, text)
        return real, root

    def _inside(self, path: Path) -> tuple[Path, Path] | None:
        real = Path(os.path.realpath(path))
        private = self.private
        if private is not None and (real.is_relative_to(private) or private.is_relative_to(real)):
            return None
        return next(((real, root) for root in self.folders if real.is_relative_to(root)), None)

    def _outside(self, text: str) -> AccessError:
        if not self.folders:
            return AccessError(text, "no folder of the server may be read", "Send the image itself, or ask the operator")
        names = ", ".join(map(str, self.folders))
        return AccessError(text, "is outside of the folders that may be read", f"Give a path below one of: {names}")


def checked_location(location: Any) -> str:
    """Return a path that somebody sent, when it is one that says where it leads.

    Raises
    ------
    AccessError
        It is empty, endless, holds control characters, climbs with ``..``, or names another computer.
    """
    if not isinstance(location, str) or not location.strip() or len(location) > _LONGEST or not location.isprintable():
        raise AccessError("location", "is no path", "Give the path of a file or folder, or an address that begins with https://")
    if location[:2] in ("//", "\\\\", "\\/", "/\\") or "://" in location:
        raise AccessError(location, "is not a path on the server", "Give a path below an allowed folder")
    if ".." in location.replace("\\", "/").split("/"):
        raise AccessError(location, "climbs out of a folder with '..'", "Give the path without '..'")
    return location


def check_kind(real: Path, said: str) -> None:
    """Go on when a path without links is a regular file or a folder.

    Raises
    ------
    AccessError
        It is a device, a pipe or a socket.
    NotFoundError
        It does not exist.
    """
    try:
        mode = os.lstat(real).st_mode
    except OSError:
        raise NotFoundError(said, "does not exist on the server", "Check the path; it may have been moved or renamed") from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise AccessError(said, "is neither a file nor a folder", "Give the path of an image")


def open_inside(path: Path, root: Path) -> BinaryIO:
    """Open a file below a root, and look again after opening, so that nobody can swap it in between.

    Raises
    ------
    AccessError
        It ends outside, or is no regular file.
    FileNotFoundError
        It is not there.
    """
    real = _real(path, root)
    if not stat.S_ISREG(os.lstat(real).st_mode):
        raise _not_inside(path)
    handle = os.open(real, _FLAGS)
    try:
        opened = os.fstat(handle)
        if not stat.S_ISREG(opened.st_mode) or not os.path.samestat(opened, os.lstat(_real(path, root))):
            raise _not_inside(path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_tree(folder: Path, root: Path) -> None:
    """Go on when everything below a folder is a file or folder that ends inside the root.

    Raises
    ------
    AccessError
        Something does not.
    ReadError
        There is too much in it to look at.
    """
    for count, entry in enumerate(_entries(folder)):
        if count >= _MOST_ENTRIES:
            raise ReadError(folder.name, f"holds more than {_MOST_ENTRIES} files", "Give the folder of one series")
        check_inside(entry, root)


def check_inside(path: Path, root: Path) -> None:
    """Go on when a path ends inside a root, at a file or folder; one that is not there passes.

    Raises
    ------
    AccessError
        It does not.
    """
    real = _real(path, root)
    if os.path.lexists(real):
        check_kind(real, path.name)


def _entries(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(here, name)


def _real(path: Path, root: Path) -> Path:
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(root):
        raise _not_inside(path)
    return real


def _not_inside(path: Path) -> AccessError:
    return AccessError(path.name, "does not lie in the folders that may be read", "Copy it there instead of linking to it")
