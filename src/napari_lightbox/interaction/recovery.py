"""Find journals that a dead process left behind, and get back what is in them."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from napari_lightbox.axes import Volume
from napari_lightbox.errors import LightboxError, ReadError
from napari_lightbox.interaction.journal_records import (
    BEGIN,
    CHANGE,
    ENDING,
    OWNER,
    RELEASED,
    Begin,
    read_begin,
    read_change,
    read_records,
    record,
)

_CLOCK_ERROR = 5.0
_FOREIGN_AGE = 86_400.0


@dataclass(frozen=True, eq=False)
class Recovered:
    """A Labels layer as it was after the last complete record.

    Parameters
    ----------
    name
        Name of the target.
    volume
        Its labels in place.
    changes
        How many changes were made since the journal began.
    complete
        False when a torn or damaged record was dropped at the end.
    """

    name: str
    volume: Volume
    changes: int
    complete: bool = True


def recover(path: Path) -> list[Recovered]:
    """Return all targets of a journal that hold something or were changed; the journal stays as it is.

    Raises
    ------
    ReadError
        Missing, not a journal, of a newer format, or too large for the memory.
    """
    path = Path(path)
    states, complete = read_states(path)
    return [
        Recovered(name, Volume(state.array, state.begin.geometry, {}, "labels", name), state.changes, complete)
        for name, state in states.items()
        if state.changes or state.array.any()
    ]


def pending(folder: Path) -> list[Path]:
    """Return the journals in `folder` that hold something and whose process is gone, the oldest first."""
    folder = Path(folder)
    found = []
    for path in folder.glob(f"*{ENDING}"):
        try:
            if not is_in_use(path) and _holds_targets(path):
                found.append((path.stat().st_mtime, path))
        except (OSError, LightboxError):
            continue
    return [path for _, path in sorted(found)]


def discard(path: Path) -> None:
    """Remove a journal that was recovered or is not wanted, unless its process still writes it."""
    if not is_in_use(path):
        Path(path).unlink(missing_ok=True)
        partial_of(path).unlink(missing_ok=True)


def partial_of(path: Path) -> Path:
    """Return the file in which a smaller copy of a journal is made."""
    return Path(path).with_name(f".{Path(path).name}.new")


class State:
    """A target while its journal is read."""

    def __init__(self, begin: Begin) -> None:
        self.begin = begin
        self.changes = begin.changes
        self.array = np.zeros(begin.geometry.shape, begin.dtype)
        if begin.initial is not None:
            begin.initial.redo(self.array)


def read_states(path: Path, stop: int | None = None) -> tuple[dict[str, State], bool]:
    """Return the targets after the records up to byte `stop`, and whether nothing had to be dropped.

    Raises
    ------
    ReadError
        Missing, not a journal, of a newer format, or too large for the memory.
    """
    states: dict[str, State] = {}
    end = 0
    try:
        with path.open("rb") as file:
            for kind, payload, position in read_records(path, file, stop):
                if kind == BEGIN:
                    begin = read_begin(payload)
                    states[begin.name] = State(begin)
                elif kind == CHANGE:
                    name, delta = read_change(payload)
                    delta.redo(states[name].array)
                    states[name].changes += 1
                end = position
            size = file.seek(0, 2) if stop is None else stop
    except OSError as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Check the path and the disk") from error
    except MemoryError as error:
        raise ReadError(str(path), "does not fit into memory", "Recover it on a larger machine") from error
    except ReadError:
        raise
    except (LightboxError, KeyError, TypeError, ValueError, struct.error):
        # a record that is whole but contradicts those before: what came before it is good
        return states, False
    return states, end == size or not end


def owner() -> dict[str, Any]:
    """Return what tells this process from all others."""
    return {"pid": os.getpid(), "started": psutil.Process().create_time(), "host": socket.gethostname()}


def is_in_use(path: Path) -> bool:
    """Tell whether the process that writes a journal is alive."""
    released = record(RELEASED, b"")
    try:
        with Path(path).open("rb") as file:
            first = next(read_records(path, file), None)
            file.seek(max(0, file.seek(0, 2) - len(released)))
            if file.read() == released:
                return False
            modified = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return False
    if first is None or first.kind != OWNER:
        # not even its first record is whole: somebody may be writing it right now
        return time.time() - modified < _CLOCK_ERROR
    return _is_alive(json.loads(first.payload), modified)


def _is_alive(data: Mapping[str, Any], modified: float) -> bool:
    if data["host"] != socket.gethostname():
        # another machine that shares the folder, or this one under an older name
        return time.time() - modified < _FOREIGN_AGE
    try:
        process = psutil.Process(int(data["pid"]))
        same = abs(process.create_time() - float(data["started"])) < _CLOCK_ERROR
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _holds_targets(path: Path) -> bool:
    with path.open("rb") as file:
        return any(kind == BEGIN for kind, _, _ in read_records(path, file))
