"""Images that stay where they are: below an allowed folder of the server, or with a web server that the operator allows."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AccessError, GoneError, NotFoundError, ReadError, WireError
from napari_lightbox.server.store.addresses import Host, allowed
from napari_lightbox.server.store.ids import checked_id
from napari_lightbox.server.store.ome_image import open_image
from napari_lightbox.server.store.opened import open_path, regular
from napari_lightbox.server.store.placing import place, private_folder
from napari_lightbox.server.store.roots import Roots
from napari_lightbox.server.store.web_files import WebFiles
from napari_lightbox.wire import ArrayCard
from napari_lightbox.wire.hashing import hash_of

_REMEMBERED = 256


@dataclass(frozen=True, eq=False)
class Reference:
    """An image that stays where it is.

    Parameters
    ----------
    id
        Its name; the same image has the same as long as it does not change.
    location
        What the user called it.
    volume
        The lazy image.
    card
        Type, shape and chunks of its array.
    """

    id: str
    location: str
    volume: Volume
    card: ArrayCard

    @property
    def geometry(self) -> Geometry:
        """Where it lies in the world."""
        return self.volume.geometry

    @property
    def role(self) -> str:
        """Whether it is an image or labels."""
        return self.volume.role


class References:
    """Opens images that stay where they are.

    Parameters
    ----------
    roots
        Folders that may be read.
    hosts
        Hosts that may be fetched from, such as ``data.example.org``.
    folder
        The server's own folder: nothing in it may be opened, and references are written down there to survive a restart.

    Raises
    ------
    ParameterError
        A host is none.
    """

    def __init__(self, roots: Sequence[Path], hosts: Sequence[str], folder: Path | None = None) -> None:
        self._roots = Roots(roots, folder)
        self._hosts = tuple(map(Host.of, hosts))
        self._folder = None if folder is None else private_folder(Path(folder) / "references")
        self._known: OrderedDict[str, Reference] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, location: Any) -> Reference:
        """Return an image; its pixels stay where they are until a task reads them.

        Parameters
        ----------
        location
            Path on the server, absolute or below an allowed folder, or the web address of an OME-Zarr.

        Raises
        ------
        AccessError
            It is outside of what the operator allows.
        NotFoundError
            It is not there.
        ReadError
            It is no image, or is damaged.
        """
        volume = self._volume(location)
        try:
            data = regular(volume.data, volume.axes)
            card = ArrayCard.of(data, tuple(max(1, n) for n in data.chunksize))
        except WireError as error:
            raise ReadError(location, f"its array {error.reason}", error.way_out) from error
        reference = Reference(hash_of(data.name.encode()), location, volume.with_data(data), card)
        if self._folder is not None:
            place(self._folder / f"{reference.id}.json", json.dumps({"location": location}).encode())
        self._remember(reference)
        return reference

    def get(self, reference_id: str) -> Reference:
        """Return an image that was opened before, by this process or by one before it.

        Raises
        ------
        NotFoundError
            It was not.
        GoneError
            What lies there now is another image.
        """
        name = checked_id(reference_id, "reference")
        with self._lock:
            known = self._known.get(name)
        if known is not None:
            return known
        try:
            location = json.loads((self._folder / f"{name}.json").read_text("utf-8"))["location"] if self._folder else None
        except FileNotFoundError:
            location = None
        if location is None:
            raise NotFoundError("reference", f"{name} is not there", "Open the image again")
        found = self.open(location)
        if found.id != name:
            raise GoneError(location, "was moved or changed since it was opened", "Open it again")
        return found

    def array(self, reference_id: str) -> Any:
        """Return the dask array of an image that was opened before."""
        return self.get(reference_id).volume.data

    def _volume(self, location: Any) -> Volume:
        scheme = location.partition("://")[0].lower() if isinstance(location, str) and "://" in location else ""
        if scheme in ("http", "https"):
            address = allowed(location, self._hosts)
            title = address.path.rpartition("/")[2].removesuffix(".zarr").removesuffix(".ome")
            return open_image(WebFiles(address), str(address), title)
        if scheme:
            raise AccessError(location[:80], "is neither a path nor a web address", "Give a path, or an address of https://")
        return open_path(*self._roots.find(location), location)

    def _remember(self, reference: Reference) -> None:
        with self._lock:
            self._known[reference.id] = reference
            self._known.move_to_end(reference.id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
