"""Smoothed fields of boxes seen before, found again by what the box holds: a new stroke on the same image only trains anew."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.pixel_features import FeatureSet, Fields, make_fields
from napari_lightbox.settings import settings

SHARE = 0.125


class FieldCache:
    """Fields by content, within a share of the memory budget; those not asked for longest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Fields] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.hits = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bytes

    def get(self, key: bytes) -> Fields | None:
        """Return what is kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                self.hits += 1
            return found

    def put(self, key: bytes, fields: Fields) -> None:
        """Keep fields, unless they alone would take half of the room."""
        room = int(settings().memory_budget * SHARE)
        if fields.data.nbytes > room // 2:
            return
        with self._lock:
            if key not in self._kept:
                self._kept[key] = fields
                self._bytes += fields.data.nbytes
            while self._bytes > room:
                self._bytes -= self._kept.popitem(last=False)[1].data.nbytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = self.hits = 0


cache = FieldCache()


def cached_fields(block: NDArray[Any], inner: tuple[slice, ...], features: FeatureSet, spacing: Sequence[float]) -> Fields:
    """Return the fields of a box of a block (see `make_fields`), from the cache when the same pixels were there before."""
    radius = features.radius(spacing)
    around = tuple(slice(max(s.start - r, 0), min(s.stop + r, n)) for s, r, n in zip(inner, radius, block.shape, strict=False))
    crop = np.ascontiguousarray(block[around])
    inside = tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(inner, around, strict=True))
    key = _key(crop, inside, features, spacing)
    fields = cache.get(key)
    if fields is None:
        fields = make_fields(crop, inside, features, spacing)
        cache.put(key, fields)
    return fields


def _key(crop: NDArray[Any], inside: tuple[slice, ...], features: FeatureSet, spacing: Sequence[float]) -> bytes:
    about = (crop.shape, crop.dtype.str, inside, features, features.steps(spacing))
    digest = hashlib.blake2b(repr(about).encode(), digest_size=20)
    digest.update(crop.data)
    return digest.digest()
