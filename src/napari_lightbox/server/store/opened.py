"""A file or folder below an allowed root as a lazy volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.engine.wrap import CHUNK_BYTES, chunk_shape
from napari_lightbox.errors import LightboxError, ReadError
from napari_lightbox.io.formats import format_of, read
from napari_lightbox.server.store.companions import check_companions
from napari_lightbox.server.store.files import FolderFiles
from napari_lightbox.server.store.ome_image import open_image
from napari_lightbox.server.store.roots import check_tree, open_inside
from napari_lightbox.server.store.unchanged import Identity, identity_of, unchanged
from napari_lightbox.wire.hashing import hash_of
from napari_lightbox.wire.protocol import MOST_CHUNK_BYTES


def open_path(real: Path, root: Path, said: str) -> Volume:
    """Return the first image of a file or folder; its pixels stay there until a task reads them.

    Parameters
    ----------
    real
        The path without links.
    root
        The allowed folder that it lies below.
    said
        What the user called it.

    Raises
    ------
    AccessError
        It makes a reader leave the root.
    ReadError
        It holds no image, or is damaged.
    """
    try:
        identity = identity_of(real)
        if not real.is_dir():
            open_inside(real, root).close()
        kind = format_of(real).name
        if kind == "ome_zarr":
            return open_image(FolderFiles(real, root), f"{real}{identity}", real.name.removesuffix(".zarr").removesuffix(".ome"))
        check_tree(real, root) if real.is_dir() else check_companions(real, kind, root)
        return _read(real, kind, identity)
    except FileNotFoundError as error:
        raise ReadError(said, "is not there any more", "Check the path") from error
    except LightboxError as error:
        raise type(error)(said, error.reason, error.way_out) from error


def regular(array: Any, axes: str) -> Any:
    """Return an array in chunks that an `ArrayCard` can describe: of one size, and not too large to travel."""
    chunks = array.chunksize
    if np.prod(chunks, dtype=np.float64) * array.dtype.itemsize > MOST_CHUNK_BYTES:
        return array.rechunk(chunk_shape(axes, array.shape, array.dtype.itemsize, CHUNK_BYTES))
    even = all(set(lengths[:-1]) <= {c} for lengths, c in zip(array.chunks, chunks, strict=True))
    return array if even else array.rechunk(chunks)


def _read(real: Path, kind: str, identity: Identity) -> Volume:
    if kind == "tables":
        raise ReadError(real.name, "holds no image", "Give the path of an image")
    volume = next((v for v in read(real) if isinstance(v, Volume)), None)
    if volume is None:
        raise ReadError(real.name, "holds no image", "Give the path of an image")
    data = volume.data
    if not isinstance(data, da.Array):
        values = np.asarray(data)
        data = da.from_array(
            values,
            chunks=chunk_shape(volume.axes, values.shape, values.itemsize, CHUNK_BYTES),
            name=f"held-{hash_of(f'{real}{identity}'.encode())}",
        )
    return volume.with_data(unchanged(f"file-{hash_of(f'{real}{identity}{data.name}'.encode())}", data, real, identity))
