"""One array of results: a Zarr array on disk that grows chunk by chunk and never shows half of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import NotFoundError, ServerError
from napari_lightbox.server.store.disk import check_free
from napari_lightbox.server.store.placing import place
from napari_lightbox.server.store.source import Index, number_of
from napari_lightbox.server.store.zarr_card import zarr_json
from napari_lightbox.wire import ArrayCard


@dataclass(frozen=True)
class ResultArray:
    """One array of results; it travels to workers as a path.

    Parameters
    ----------
    id
        Its name in the store.
    job, name
        Which output of which job it is.
    owner
        Whose job it is.
    card
        Type, shape and chunks.
    folder
        Where it lies.
    least_free
        Bytes that stay free on the disk.
    """

    id: str
    job: str
    name: str
    owner: str
    card: ArrayCard
    folder: Path
    least_free: int = 0

    def create(self) -> None:
        """Make the folder with everything but chunks."""
        (self.folder / "parts").mkdir(mode=0o700, parents=True)
        with (self.folder / "written").open("xb") as file:
            file.truncate(prod(self.card.grid))
        about = {"job": self.job, "name": self.name, "owner": self.owner, "card": self.card.to_json()}
        place(self.folder / "about.json", json.dumps(about).encode())
        place(self.folder / "zarr.json", json.dumps(zarr_json(self.card, ".")).encode())

    def path(self, index: Index) -> Path:
        """Return the file of a chunk, which need not be there yet.

        Raises
        ------
        WireError
            There is no such chunk.
        """
        self.card.box(index)
        # all in one folder: with a folder for each number, a frame would take three entries of the disk
        return self.folder / ".".join(("c", *map(str, index)))

    def write(self, index: Index, values: Any) -> None:
        """Store a chunk; what is written already may be written again.

        Parameters
        ----------
        index
            Which chunk.
        values
            Its values, without the part of the last chunk that lies outside of the array.

        Raises
        ------
        ServerError
            They have another type or shape than the card says, or the disk refuses.
        SpaceError
            The disk is full; nothing was left behind.
        NotFoundError
            The array was deleted.
        """
        target, expected = self.path(index), self.card.chunk_shape(index)
        array = np.asarray(values)
        if array.shape != expected or array.dtype.newbyteorder("=") != self.card.kind.newbyteorder("="):
            raise ServerError(
                self.name,
                f"block {index} is {array.dtype} {array.shape}, it should be {self.card.kind} {expected}",
                "Report it to whoever maintains the technique",
            )
        payload = self._full(array)
        try:
            check_free(self.folder, payload.nbytes, self.least_free)
            place(target, payload.data, self.folder / "parts")
            self._mark(index)
        except (FileNotFoundError, ServerError):
            if not self._deleted():
                raise
            raise NotFoundError(self.name, "was deleted while it was computed", "Run the job again") from None

    def has(self, index: Index) -> bool:
        """Return whether a chunk is there; none is when the array was deleted."""
        if not self.path(index).is_file():
            return False
        try:
            # a writer that died between the chunk and its mark left this to the next who looks
            self._mark(index)
        except FileNotFoundError:
            if not self._deleted():
                raise
            return False
        return True

    def written(self) -> int:
        """Return how many chunks are there."""
        try:
            return int(np.count_nonzero(np.fromfile(self.folder / "written", np.uint8)))
        except FileNotFoundError:
            return 0

    def nbytes(self) -> int:
        """Return how many bytes the array takes when it is complete."""
        return prod(self.card.grid) * prod(self.card.chunks) * self.card.kind.itemsize

    def _deleted(self) -> bool:
        return not (self.folder / "about.json").exists()

    def _full(self, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the bytes of a whole chunk, zeros where it reaches over the edge."""
        kind = self.card.kind
        if array.shape != self.card.chunks:
            whole = np.zeros(self.card.chunks, kind)
            whole[tuple(map(slice, array.shape))] = array
            array = whole
        return np.ascontiguousarray(array, kind).reshape(-1).view(np.uint8)

    def _mark(self, index: Index) -> None:
        """Note that a chunk is there: a byte for each, so that counting needs no look at a million files."""
        with (self.folder / "written").open("r+b", buffering=0) as file:
            n = number_of(self.card, index)
            file.seek(n)
            if file.read(1) != b"\1":
                file.seek(n)
                file.write(b"\1")
