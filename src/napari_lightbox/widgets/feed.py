"""What lies on a server, or is computed when somebody looks, as napari sees it: what is here is drawn, the rest follows.

napari computes the visible slice of a dask array in the window's thread, which would hang for as long as that takes, or the way
to a server. A `Distant` array is a dask array to everybody else: whoever computes it waits and gets the true values.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod
from typing import TYPE_CHECKING, Any, Self

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Region
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.doorbell import in_gui_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

MOST_BYTES = 2**28
THREADS = 2
GLANCE_SECONDS = 0.03
_DRAWS = "napari.layers."

Key = str | tuple[tuple[int, int], ...]


class Feed:
    """Fetches the parts of one array that napari asks for, the latest first, and has its layers drawn again.

    Parameters
    ----------
    viewer
        Where the layers are.
    failed
        Called in the window's thread with what went wrong.
    first
        Tells whoever computes the array which part is wanted next; called in a thread.
    """

    def __init__(
        self, viewer: ViewerModel, failed: Callable[[Exception], Any], first: Callable[[Region], Any] | None = None
    ) -> None:
        self._viewer = weakref.ref(viewer)
        self._failed = failed
        self._first = first
        self._held: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._wanted: Distant | None = None
        self._opened = False
        self._fetching: set[Key] = set()
        self._owed: set[Key] = set()
        self._change = threading.Condition()
        self._ring = in_gui_thread(self._arrived)

    def open(self) -> None:
        """Begin: the layers are in the viewer, which therefore asks for what it shows."""
        with self._change:
            self._opened = True
            self._begin()

    def put(self, part: Distant, values: NDArray[Any]) -> None:
        """Keep values that were fetched otherwise."""
        with self._change:
            self._keep(part.key, values)

    def glance(self, part: Distant) -> NDArray[Any]:
        """Return values that are here or come at once, else zeros; then the layers are drawn again when they have come."""
        with self._change:
            if part.key not in self._held:
                self._wanted = None if part.key in self._fetching else part
                if self._opened:
                    self._begin()
                    self._change.wait_for(lambda: part.key in self._held, GLANCE_SECONDS)
            if part.key in self._held:
                self._wanted = None
                self._held.move_to_end(part.key)
                return self._held[part.key].reshape(part.shape)
            self._owed.add(part.key)
            return np.zeros(part.shape, part.dtype)

    def _begin(self) -> None:
        if self._wanted is not None and len(self._fetching) < THREADS:
            part, self._wanted = self._wanted, None
            self._fetching.add(part.key)
            threading.Thread(target=self._work, args=(part,), name="lightbox-feed", daemon=True).start()

    def _work(self, part: Distant) -> None:
        error: Exception | None = None
        try:
            if self._first is not None and part.region is not None:
                # a wish that does not get through costs time only
                with suppress(LightboxError):
                    self._first(part.region)
            values = part.fetched()
        except Exception as failure:  # noqa: BLE001 - whatever went wrong is shown to the user
            error = failure
        with self._change:
            self._fetching.discard(part.key)
            if error is None:
                self._keep(part.key, values)
                self._change.notify_all()
            self._begin()
        self._ring(part.key, error)

    def _keep(self, key: Key, values: NDArray[Any]) -> None:
        self._held[key] = values
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(v.nbytes for v in self._held.values()) > MOST_BYTES:
            self._held.popitem(last=False)

    def _arrived(self, key: Key, error: Exception | None) -> None:
        """Draw the layers again, or tell what went wrong; nobody misses the values of layers that are gone."""
        viewer = self._viewer()
        mine = [] if viewer is None else [layer for layer in viewer.layers if feed_of(layer.data) is self]
        if error is not None:
            if mine:
                self._failed(error)
        elif key in self._owed:
            self._owed.clear()
            for layer in mine:
                layer.refresh()


class Distant(da.Array):  # type: ignore[misc]
    """A dask array, or part of one, that napari may draw before its values are here.

    Parameters
    ----------
    array
        What it stands for.
    feed
        Who fetches it.
    region
        Which part of the whole array it is; None when that cannot be told.
    """

    def __new__(cls, array: da.Array, feed: Feed, region: Region | None = None) -> Self:
        """Make it out of an array."""
        self: Self = super().__new__(cls, array.dask, array.name, array.chunks, meta=array)
        self.feed = feed
        self.region = region
        return self

    @property
    def key(self) -> Key:
        """What the part is known by: the same for a plane and for a stack of that one plane."""
        return self.name if self.region is None else tuple((r.start, r.stop) for r in self.region)

    @classmethod
    def whole(cls, array: da.Array, feed: Feed) -> Distant:
        """Return a whole array."""
        return cls(array, feed, tuple(slice(0, int(n)) for n in array.shape))

    def same(self, array: da.Array) -> Distant:
        """Return another view of the same array, such as one with its axes in another order."""
        return self if array is self else Distant(array, self.feed)

    def fetched(self, control: Control | None = None) -> NDArray[Any]:
        """Return the values; waits for them."""
        return np.array(*compute_all([self], control))

    def __getitem__(self, index: Any) -> Any:
        """Return a part."""
        part = super().__getitem__(index)
        return part if part is self else Distant(part, self.feed, _within(self, index))

    def __array__(self, dtype: Any = None, copy: Any = None, **keywords: Any) -> NDArray[Any]:
        """Return the values; to napari those that are here."""
        values = self.feed.glance(self) if _napari_draws(inspect.currentframe()) else self.fetched()
        return values if dtype is None else values.astype(dtype)

    def copy(self) -> Distant:
        """Return the array itself, since nobody can write into it."""
        return self


def feed_of(data: Any) -> Feed | None:
    """Return who fetches the data of a layer, None for data that are here."""
    return data.feed if isinstance(data, Distant) else None


def open_feeds(layers: Sequence[Layer]) -> None:
    """Begin to fetch for layers that are in the viewer now."""
    for feed in filter(None, (feed_of(layer.data) for layer in layers)):
        feed.open()


def memory_of(array: da.Array) -> int:
    """Return the bytes of a whole array."""
    return int(prod(array.shape)) * int(array.dtype.itemsize)


def _within(whole: Distant, index: Any) -> Region | None:
    """Return which region an index of plain numbers and slices takes out of a whole array."""
    index = index if isinstance(index, tuple) else (index,)
    if whole.region != tuple(slice(0, int(n)) for n in whole.shape) or len(index) > whole.ndim:
        return None
    region = []
    for place, length in zip((*index, *[slice(None)] * (whole.ndim - len(index))), whole.shape, strict=True):
        if isinstance(place, slice):
            start, stop, step = place.indices(length)
            if step != 1 or stop <= start:
                return None
            region.append(slice(start, stop))
        elif isinstance(place, (int, np.integer)) and -length <= place < length:
            region.append(slice(int(place) % length, int(place) % length + 1))
        else:
            return None
    return tuple(region)


def _napari_draws(frame: Any) -> bool:
    """Tell whether it is napari's drawing that turns an array into numbers, not somebody who needs the true ones."""
    caller = None if frame is None else frame.f_back
    return caller is not None and str(caller.f_globals.get("__name__", "")).startswith(_DRAWS)
