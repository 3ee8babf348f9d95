"""An append-only file of painted strokes and accepted segmentations that survives the death of its process."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.errors import InputError, LightboxError, WriteError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.journal_records import (
    RELEASED,
    Begin,
    begin_record,
    change_record,
    header,
    owner_record,
    record,
)
from napari_lightbox.interaction.recovery import (
    Recovered,
    State,
    discard,
    is_in_use,
    owner,
    partial_of,
    pending,
    read_states,
    recover,
)

__all__ = ["Journal", "Recovered", "discard", "pending", "recover"]

SMALLEST_TAIL = 2**24


class Journal:
    """What was done to some targets, each record on its way to the disk before the call that made it returns.

    A killed process loses at most the record in hand. When the file has grown to a multiple of what it describes, a
    smaller copy is made in the background and takes its place in one step.

    Parameters
    ----------
    path
        File to make, ending in ``.lightbox-journal``.

    Raises
    ------
    WriteError
        The file exists or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._targets: dict[str, tuple[Geometry, np.dtype[Any]]] = {}
        self._lock = threading.RLock()
        self._smaller: threading.Thread | None = None
        self._owner = owner_record(owner())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: int | None = os.open(self.path, flags, 0o600)
        except FileExistsError as error:
            state = "belongs to another window" if is_in_use(self.path) else "was left behind by a crash"
            raise WriteError(str(self.path), f"exists and {state}", "Recover it first, or use another name") from error
        except OSError as error:
            raise _refused(self.path, error) from error
        self._size = 0
        self._base = SMALLEST_TAIL
        self._write(header() + self._owner)

    def begin(self, target: str, geometry: Geometry, dtype: Any, initial: Any = None) -> None:
        """Start to follow a target, or start again from what it holds now; it begins as zeros without `initial`.

        Raises
        ------
        InputError
            `initial` has another shape or type.
        WriteError
            The disk is full or gone.
        """
        kind, start = np.dtype(dtype), None
        if initial is not None:
            values = np.asarray(initial)
            if values.shape != geometry.shape or values.dtype != kind:
                raise InputError(target, f"holds {values.dtype} {values.shape}", f"Give {kind} {geometry.shape}")
            start = Delta.between(np.zeros(values.shape, kind), values)
        with self._lock:
            self._write(begin_record(Begin(target, geometry, kind, 0, start)))
            self._targets[target] = (geometry, kind)

    def append(self, target: str, delta: Delta) -> None:
        """Write a change; when this returns, a crash of the process can no longer take it away.

        Raises
        ------
        InputError
            The target was not begun, or the change does not fit it.
        WriteError
            The disk is full or gone; the records before are intact.
        """
        if target not in self._targets:
            raise InputError(target, "was not begun in this journal", "Begin it first")
        geometry, dtype = self._targets[target]
        if not delta.fits(geometry.shape, dtype):
            raise InputError(target, f"is {dtype} {geometry.shape}, the change is for something else", "Begin it again")
        with self._lock:
            self._write(change_record(target, delta))
            if self._size > self._base and self._smaller is None:
                self._smaller = threading.Thread(target=self._compact, args=(self._size,), name="lightbox-journal", daemon=True)
                self._smaller.start()

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return self._size

    def close(self, keep: bool) -> None:
        """Stop writing. With `keep` the file stays, for `pending` to find; otherwise it is removed."""
        thread = self._smaller
        if thread is not None:
            thread.join()
        with self._lock:
            if self._file is None:
                return
            if keep:
                self._write(record(RELEASED, b""))
                os.fsync(self._file)
            os.close(self._file)
            self._file = None
            if not keep:
                self.path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        """Append whole records, or nothing."""
        if self._file is None:
            raise WriteError(str(self.path), "is closed", "Begin a new journal")
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError as error:
            # what follows a torn record could not be read
            os.ftruncate(self._file, self._size)
            raise _refused(self.path, error) from error
        self._size += len(data)

    def _compact(self, stop: int) -> None:
        """Make a smaller file of what was written up to `stop`, add what came since, and take it instead."""
        partial = partial_of(self.path)
        try:
            states, _ = read_states(self.path, stop)
            with partial.open("wb") as file:
                file.write(header() + self._owner + b"".join(_snapshot(name, state) for name, state in states.items()))
                file.flush()
                os.fsync(file.fileno())
                snapshot = file.tell()
                with self._lock:
                    with self.path.open("rb") as old:
                        old.seek(stop)
                        file.write(old.read())
                    file.flush()
                    self._take(partial, snapshot, file.tell())
        except (OSError, LightboxError):
            # the long file is as good; try again when it has doubled
            with self._lock:
                self._base = 2 * self._size
        finally:
            partial.unlink(missing_ok=True)
            self._smaller = None

    def _take(self, partial: Path, snapshot: int, size: int) -> None:
        """Go on in a file that begins with a snapshot of so many bytes; what follows counts towards the next one."""
        if self._file is None:
            return
        os.close(self._file)
        self._file = None
        try:
            partial.replace(self.path)
            self._size = size
            self._base = max(SMALLEST_TAIL, 2 * snapshot) + snapshot
        finally:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))


def _snapshot(name: str, state: State) -> bytes:
    start = Delta.between(np.zeros_like(state.array), state.array)
    return begin_record(Begin(name, state.begin.geometry, state.begin.dtype, state.changes, start))


def _refused(path: Path, error: OSError) -> WriteError:
    detail = " ".join(str(error).split())[:200]
    return WriteError(str(path), f"cannot be written ({detail})", "Free some space, or choose another folder for the journal")
