"""What a batch has finished: one line per file, appended when it is done, so that no crash takes it back."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from napari_lightbox.errors import WriteError
from napari_lightbox.io.batch_report import Entry
from napari_lightbox.io.failures import writing

NAME = "ledger.jsonl"
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "status": str,
    "seconds": (int, float),
    "files": list,
    "message": str,
    "fingerprint": str,
}
_LOCKED_BYTE = 2**62


class Ledger:
    """The lines in `path`, and the only writer of further ones; opening it makes the file and its folder.

    A line that a crash cut off is passed over when it is read, and closed off before the next one is written.

    Parameters
    ----------
    path
        File of JSON lines.

    Raises
    ------
    WriteError
        It cannot be written, or another batch writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(path, flags, 0o666)
        try:
            if not _take(self._file):
                raise WriteError(str(path.parent), "is in use by another batch", "Wait for it, or choose another folder with -o")
            known = path.read_bytes()
            self.entries = read_lines(known.split(b"\n"))
            self._is_torn = not known.endswith(b"\n") and known != b""
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def finished(self, source: str, fingerprint: str) -> Entry | None:
        """Return how a file went that was done before, when nothing of it has changed and its results are still there."""
        entry = self.entries.get(source)
        if entry is None or entry.status != "done" or entry.fingerprint != fingerprint:
            return None
        return entry if all(Path(file).exists() for file in entry.files) else None

    def add(self, source: str, entry: Entry) -> None:
        """Write how a file went; when this returns, a crash can no longer take it away.

        Raises
        ------
        WriteError
            The disk is full or gone; the lines before are intact.
        """
        line = json.dumps({"input": source, **asdict(entry)}).encode() + b"\n"
        with writing(self.path):
            _append(self._file, b"\n" + line if self._is_torn else line)
        self._is_torn = False
        self.entries[source] = entry

    def close(self) -> None:
        """Let others write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_lines(lines: Iterable[bytes]) -> dict[str, Entry]:
    """Return the last entry of each input; what is no line of a ledger is passed over."""
    entries: dict[str, Entry] = {}
    for line in lines:
        try:
            known: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(known, dict) or not isinstance(source := known.get("input"), str):
            continue
        if all(isinstance(known.get(name), kind) for name, kind in _FIELDS.items()):
            entries[source] = Entry(**{name: known[name] for name in _FIELDS} | {"files": tuple(map(str, known["files"]))})
    return entries


def fingerprint_of(text: str, inputs: Sequence[str], target: Path) -> str:
    """Return a hash of the work, of all files of the inputs (paths, sizes, times of change) and of where the result goes."""
    stats = [_stat(file) for path in map(Path, inputs) for file in _files_of(path)]
    return hashlib.sha256(repr((text, list(inputs), stats, str(target))).encode()).hexdigest()[:32]


def _files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _stat(file: Path) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except OSError:
        return str(file), -1, -1
    return str(file), found.st_size, found.st_mtime_ns


def _append(file: int, line: bytes) -> None:
    """Write a whole line and see it on the disk, or leave the file as long as it was."""
    size = os.fstat(file).st_size
    try:
        done = 0
        while done < len(line):
            done += os.write(file, line[done:])
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, size)
        raise


def _take(file: int) -> bool:
    """Lock an open file until it is closed; tells whether nobody else has, as far as its disk can say."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
