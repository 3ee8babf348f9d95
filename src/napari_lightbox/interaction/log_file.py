"""Logs as files: a zip of JSON, changes and ``.npy`` arrays; written all or nothing, checked when read."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lightbox import __version__
from napari_lightbox.errors import LightboxError, ReadError
from napari_lightbox.interaction.arrays import LARGEST, PREFIX
from napari_lightbox.interaction.entries import from_json, to_json
from napari_lightbox.io.atomic import replacing

if TYPE_CHECKING:
    from napari_lightbox.interaction.log import InteractionLog

ENDING = ".lightbox-log"
FORMAT = 1
_TEXT, _CHANGES, _ARRAYS = "log.json", "changes.bin", "arrays/"
_MOST_TEXT = 2**28
_MOST_FILES = 100_000
_MOST_RATIO = 200


def save(log: InteractionLog, path: Path) -> None:
    """Write a log to one file.

    Raises
    ------
    WriteError
        The file cannot be written; what was there before is intact.
    """
    changes = bytearray()

    def store(data: bytes) -> list[int]:
        changes.extend(data)
        return [len(changes) - len(data), len(data)]

    entries = [to_json(entry, store) for entry in log.entries]
    hashes = [[name, spans, digest] for (name, spans), digest in log.hashes.known().items()]
    text = {"lightbox_log": FORMAT, "version": __version__, "entries": entries, "hashes": hashes}
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(_TEXT, json.dumps(text, default=_plain))
        file.writestr(_CHANGES, bytes(changes), zipfile.ZIP_STORED)
        for reference in log.arrays:
            file.writestr(_ARRAYS + reference.removeprefix(PREFIX) + ".npy", log.arrays.file(reference))


def load_into(log: InteractionLog, path: Path) -> None:
    """Fill an empty log with what is in a file.

    Raises
    ------
    ReadError
        Missing, damaged, not a log, or of a newer format.
    """
    with _damage(path), zipfile.ZipFile(path) as file:
        _check_sizes(path, file)
        text = json.loads(file.read(_TEXT))
        version = text["lightbox_log"]
        if not isinstance(version, int) or version > FORMAT:
            raise ReadError(str(path), f"has format {version}, this version reads {FORMAT}", "Update napari-lightbox")
        changes = file.read(_CHANGES)
        for name in file.namelist():
            if name.startswith(_ARRAYS):
                _take_array(log, name, file.read(name))
        for entry in text["entries"]:
            log.append(from_json(entry, lambda place: _part(changes, place)))
        log.hashes.take_over(
            {(str(name), tuple((a, b) for a, b in spans)): str(digest) for name, spans, digest in text["hashes"]}
        )


def _check_sizes(path: Path, file: zipfile.ZipFile) -> None:
    """Refuse archives that unpack to far more than a log can, before anything is unpacked."""
    members = {m.filename: m for m in file.infolist()}
    known = all(name in (_TEXT, _CHANGES) or name.startswith(_ARRAYS) for name in members)
    if not known or len(members) != len(file.infolist()) or len(members) > _MOST_FILES:
        raise ReadError(str(path), "holds files that no log has", "Take the last good copy")
    text, changes = members[_TEXT], members[_CHANGES]
    most = min(_MOST_TEXT, _MOST_RATIO * text.compress_size + 4096)
    bombs = [m for m in members.values() if m.file_size > 2 * LARGEST and m is not changes]
    # changes are packed already, so that they are stored as they are
    bombs += [
        m for m, fits in ((text, text.file_size <= most), (changes, changes.compress_size == changes.file_size)) if not fits
    ]
    if bombs:
        size = max(m.file_size for m in bombs) / 1e6
        raise ReadError(str(path), f"would unpack to {size:.0f} MB", "It is damaged or made to do harm; do not open it")


def _take_array(log: InteractionLog, name: str, data: bytes) -> None:
    """Put an array into the log, under the very name it has in the file."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"array {name} is not what it says")
    stream.seek(0)
    reference = log.arrays.put(np.load(stream, allow_pickle=False))
    if name != _ARRAYS + reference.removeprefix(PREFIX) + ".npy":
        raise ValueError(f"array {name} was changed")


def _part(changes: bytes, place: Any) -> bytes:
    offset, length = place
    if offset < 0 or length < 0 or offset + length > len(changes):
        raise ValueError("a change lies outside the file")
    return changes[offset : offset + length]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept in a log")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except ReadError:
        raise
    except LightboxError as error:
        raise ReadError(str(path), f"contradicts itself ({error.subject} {error.reason})", "Take the last good copy") from error
    except FileNotFoundError as error:
        raise ReadError(str(path), "does not exist", "Check the path; it may have been moved or renamed") from error
    except OSError as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Check the path and the disk") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, MemoryError) as error:
        raise ReadError(str(path), f"is damaged or no log ({error})", "Take the last good copy") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ReadError(str(path), f"holds something that no log has ({error!r:.200})", "Take the last good copy") from error


def is_log(path: str | Path) -> bool:
    """Tell whether a path is named like a log."""
    return str(path).lower().endswith(ENDING)
