"""Writing that either happens or does not: a crash leaves the old file, or none, never half of one."""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from napari_lightbox.errors import WriteError
from napari_lightbox.io.failures import writing

_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:16] or "host"
_LEFT_OVER = re.compile(r"\.lightbox-(?P<kind>new|old)-(?P<host>\w+)-(?P<pid>\d+)-[0-9a-f]{8}-(?P<name>.+)")
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def replacing(path: Path, named: Path | None = None) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; move it onto `path` when the block ends without an error.

    Errors speak of `named`, the file that the user asked for, when `path` is only a part of it.
    """
    with writing(named or path):
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(path)
        _check_writable(target)
        partial = _sibling(target, "new")
        try:
            yield partial
            if target.exists():
                shutil.copymode(target, partial)
            _sync(partial)
            partial.replace(target)
            _sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a temporary sibling folder; put it in place of `path` when the block ends without an error.

    A folder that exists is replaced only when it is empty or `is_ours` recognises its content.
    """
    with writing(path):
        target = path.resolve()
        if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or is_ours(target))):
            raise WriteError(str(path), "exists and holds something else", "Choose a new name, or remove it yourself first")
        _check_writable(target)
        partial = _sibling(target, "new")
        try:
            partial.mkdir()
            yield partial
            _sync_tree(partial)
            _put_folder(partial, target)
            _sync(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def restore(path: Path) -> None:
    """Bring back a folder whose writer died between its two renames."""
    if not path.exists() and path.parent.is_dir():
        with suppress(OSError):
            sweep(path.parent)


def sweep(folder: Path) -> None:
    """Remove what dead writers of this machine left in `folder`; bring back what they had set aside."""
    for entry in folder.glob(".lightbox-*"):
        match = _LEFT_OVER.fullmatch(entry.name)
        if match is None or match["host"] != _HOST or _alive(int(match["pid"]), entry):
            continue
        target = folder / match["name"]
        if match["kind"] == "old" and not target.exists():
            entry.rename(target)
        elif entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _check_writable(target: Path) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(2, "No such folder", str(target.parent))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(target))
    sweep(target.parent)


def _sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".lightbox-{kind}-{_HOST}-{os.getpid()}-{secrets.token_hex(4)}-{target.name}")


def _alive(pid: int, entry: Path) -> bool:
    """Tell whether the writer that made `entry` still runs (a later process may have got its number)."""
    try:
        return bool(psutil.Process(pid).create_time() <= entry.stat().st_mtime + 1)
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.Error:
        return True


def _put_folder(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
    elif not _exchange(partial, target):
        aside = _sibling(target, "old")
        target.rename(aside)
        try:
            partial.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux); tell whether it did."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _sync_tree(folder: Path) -> None:
    files = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_sync, files))
    _sync(folder)


def _sync(path: Path) -> None:
    """Flush `path` to the disk; folders cannot be flushed on Windows."""
    if path.is_dir() and sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY if sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
