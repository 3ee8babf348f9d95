"""The bytes of chunks, each kept once under the hash of what it holds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Container, Iterator
from pathlib import Path

from napari_lightbox.errors import WireError
from napari_lightbox.server.store.apart import folders_apart
from napari_lightbox.server.store.placing import place, private_folder
from napari_lightbox.wire.hashing import checked_hash, hash_of

GRACE = 3600.0


class Objects:
    """Files of raw little-endian values in C order, one for each different chunk.

    Parameters
    ----------
    folder
        Where they lie, two levels of folders deep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folders_apart(private_folder(Path(folder).resolve()))
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """Return where an object lies or would lie.

        Raises
        ------
        WireError
            The name is no hash.
        """
        return object_path(self.folder, checked_hash(name))

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether an object is there, with this many bytes if they are given."""
        try:
            found = self.path(name).stat().st_size
        except OSError:
            return False
        return size is None or found == size

    def hold(self, name: str, size: int) -> bool:
        """Return whether an object is there, and if so keep it from the sweep for the time of grace."""
        with self._lock:
            if not self.has(name, size):
                return False
            os.utime(self.path(name))
        return True

    def put(self, name: str, *payload: bytes | memoryview, checked: bool = False) -> None:
        """Keep the bytes of a chunk; they can be seen only when they are whole and right.

        Parameters
        ----------
        name, payload
            The hash and the bytes, in one or more parts.
        checked
            Whether the caller has just computed the hash from these very bytes.

        Raises
        ------
        WireError
            They have another hash.
        SpaceError
            The disk is full.
        """
        target = self.path(name)
        if not checked and hash_of(*payload) != name:
            raise WireError("chunk", "holds other bytes than its hash says", "Send the chunk again")
        parts = [memoryview(part) for part in payload]
        if not self.hold(name, sum(part.nbytes for part in parts)):
            place(target, parts)

    def sweep(self, keep: Container[str], grace: float = GRACE) -> int:
        """Remove what is not in `keep` and older than some seconds, parts of dead writers too; return the freed bytes."""
        deadline = time.time() - grace
        return sum(self._free(path, deadline) for path in self._files() if path.name not in keep)

    def _files(self) -> Iterator[Path]:
        for outer in _inside(self.folder):
            for inner in _inside(outer):
                yield from _inside(inner)

    def _free(self, path: Path, deadline: float) -> int:
        # under the lock nobody can take hold of the object between the look at its age and the end of it
        with self._lock:
            try:
                status = path.stat()
                if status.st_mtime > deadline:
                    return 0
                path.unlink()
            except FileNotFoundError:
                return 0
        return status.st_size


def object_path(folder: Path, name: str) -> Path:
    """Return where the object of a checked hash lies below a folder of objects."""
    return folder / name[:2] / name[2] / name


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
