"""Where the files of a Zarr group come from: a folder below a root, or a web server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_lightbox.errors import ReadError
from napari_lightbox.server.store.roots import open_inside


class Files(Protocol):
    """Files below one place, named by keys with slashes."""

    @property
    def name(self) -> str:
        """What to call the place in messages."""

    def get(self, key: str, most: int) -> bytes | None:
        """Return a file of at most so many bytes, None where it is not there."""

    def part(self, key: str, start: int, count: int) -> bytes | None:
        """Return some bytes of a file; `start` below zero counts from the end."""


@dataclass(frozen=True)
class FolderFiles:
    """Files below a folder; each is checked again when it is opened."""

    folder: Path
    root: Path

    @property
    def name(self) -> str:
        """What to call the folder in messages."""
        return self.folder.name

    def get(self, key: str, most: int) -> bytes | None:
        """Return a file."""
        try:
            with open_inside(self._path(key), self.root) as file:
                content = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, OverflowError) as error:
            raise unreadable(self.name, key, getattr(error, "strerror", "") or "damaged") from error
        if len(content) > most:
            raise too_large(self.name, key, most)
        return content

    def part(self, key: str, start: int, count: int) -> bytes | None:
        """Return some bytes of a file."""
        try:
            with open_inside(self._path(key), self.root) as file:
                file.seek(start, os.SEEK_END if start < 0 else os.SEEK_SET)
                return file.read(count)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, OverflowError) as error:
            raise unreadable(self.name, key, getattr(error, "strerror", "") or "damaged") from error

    def _path(self, key: str) -> Path:
        return self.folder.joinpath(*checked_key(key).split("/"))


def checked_key(key: str) -> str:
    """Return a key that metadata made up, when it leads down.

    Raises
    ------
    ReadError
        It leads elsewhere.
    """
    if not key.isprintable() or "\\" in key or ":" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise ReadError("image", f"names a file outside of itself: {key[:80]!r}", "Open another image")
    return key


def too_large(name: str, key: str, most: int) -> ReadError:
    """Return the error for a file that is larger than it may be."""
    return ReadError(name, f"{key} is larger than {most} bytes", "Open another image")


def unreadable(name: str, key: str, reason: str) -> ReadError:
    """Return the error for a file that does not come."""
    return ReadError(name, f"{key} cannot be read ({reason})", "Check the image, then try again")
