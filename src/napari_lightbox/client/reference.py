"""An array that only the server can read."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from napari_lightbox.client.link import Link
from napari_lightbox.errors import InputError
from napari_lightbox.wire import ArrayCard


def reference_array(link: Link, id: str, card: ArrayCard, location: str) -> Any:  # noqa: A002
    """Return a dask array that stands for it; as an input it travels as its name alone."""
    import dask.array as da

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise InputError(location, "lies on the server, its values are not here", "Run a technique on it there")

    array = da.map_blocks(
        refuse,
        chunks=card.sizes,
        dtype=card.kind,
        meta=np.empty((0,) * len(card.shape), card.kind),
        name=f"reference-{id}",
    )
    return link.lies_there(array, f"reference:{id}")
