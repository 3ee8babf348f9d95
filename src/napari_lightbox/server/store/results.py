"""The arrays that jobs make: each a Zarr array under a name that nobody can guess, still there after a restart."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from napari_lightbox.errors import NotFoundError
from napari_lightbox.server.store.apart import folders_apart
from napari_lightbox.server.store.disk import Disk
from napari_lightbox.server.store.ids import checked_id, new_id
from napari_lightbox.server.store.placing import private_folder
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.wire import ArrayCard

GRACE = 3600.0


class Results:
    """The arrays that jobs make.

    Parameters
    ----------
    folder
        Where they lie.
    disk
        Counts what users store, and sets the bounds; without one there are none.
    grace
        Age in seconds from which parts of chunks count as left behind by dead workers when the server starts.
    """

    def __init__(self, folder: Path, disk: Disk | None = None, grace: float = GRACE) -> None:
        self.folder = folders_apart(private_folder(Path(folder).resolve()))
        self.disk = disk or Disk(folder)
        self._lock = threading.Lock()
        self._clearing = ThreadPoolExecutor(1, "lightbox-clear")
        for gone in [p for p in self.folder.iterdir() if p.name.startswith(".") or not (p / "about.json").exists()]:
            shutil.rmtree(gone, ignore_errors=True)
        # of each job: to find those of one, nobody has to look at thousands of others
        self._ids: dict[str, set[str]] = {}
        for array in self:
            _tidy(array.folder / "parts", time.time() - grace)
            self._enter(array)

    def __iter__(self) -> Iterator[ResultArray]:
        """Return all arrays."""
        for path in self.folder.glob("[0-9a-f]*/about.json"):
            with suppress(NotFoundError):
                yield self.open(path.parent.name)

    def create(self, job: str, name: str, card: ArrayCard, owner: str = "") -> ResultArray:
        """Make room for an output of a job.

        Raises
        ------
        SpaceError, QuotaError
            It would not fit when it is complete.
        """
        array = self._array(new_id(), job, name, owner, card)
        self.disk.check(owner or None, array.nbytes())
        hidden = self._array(f".{array.id}", job, name, owner, card)
        try:
            hidden.create()
            hidden.folder.rename(array.folder)
        except BaseException:
            shutil.rmtree(hidden.folder, ignore_errors=True)
            raise
        self._enter(array)
        return array

    def open(self, array_id: str) -> ResultArray:
        """Return an array.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        try:
            told = json.loads((self.folder / checked_id(array_id, "array") / "about.json").read_text("utf-8"))
        except FileNotFoundError:
            raise NotFoundError("array", f"{array_id} is not there", "Run the job again") from None
        return self._array(array_id, told["job"], told["name"], told["owner"], ArrayCard.from_json(told["card"]))

    def of(self, job: str) -> dict[str, ResultArray]:
        """Return the arrays of a job by the names of its outputs."""
        return {array.name: array for array_id in self._ids_of(job) if (array := self._found(array_id)) is not None}

    def delete(self, job: str) -> None:
        """Remove all arrays of a job: nobody finds them any more, and their files go one after the other."""
        for array_id in self._ids_of(job):
            with self._lock:
                self._delete(job, array_id)

    def close(self) -> None:
        """Wait until the files of all deleted arrays are gone."""
        self._clearing.shutdown()

    def _array(self, array_id: str, job: str, name: str, owner: str, card: ArrayCard) -> ResultArray:
        return ResultArray(array_id, job, name, owner, card, self.folder / array_id, self.disk.least_free)

    def _delete(self, job: str, array_id: str) -> None:
        array = self._found(array_id)
        if array is not None:
            gone = array.folder.rename(self.folder / f".{array_id}")
            self._clearing.submit(shutil.rmtree, gone, ignore_errors=True)
            self._charge(array, -1)
        others = self._ids.get(job, set()) - {array_id}
        if others:
            self._ids[job] = others
        else:
            self._ids.pop(job, None)

    def _found(self, array_id: str) -> ResultArray | None:
        try:
            return self.open(array_id)
        except NotFoundError:
            return None

    def _ids_of(self, job: str) -> list[str]:
        with self._lock:
            return list(self._ids.get(job, ()))

    def _enter(self, array: ResultArray) -> None:
        with self._lock:
            self._ids.setdefault(array.job, set()).add(array.id)
        self._charge(array, 1)

    def _charge(self, array: ResultArray, sign: int) -> None:
        if array.owner:
            self.disk.add(array.owner, sign * array.nbytes())


def _tidy(parts: Path, deadline: float) -> None:
    for part in parts.iterdir() if parts.exists() else ():
        with suppress(FileNotFoundError):
            if part.stat().st_mtime <= deadline:
                part.unlink()
