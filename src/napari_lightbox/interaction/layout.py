"""How an array lies in memory: sums of floats depend on it in the last bit, so a replay must not change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """In memory: axes from the slowest to the fastest. Lazy: chunk shape.

    Exactly one of `order` and `chunks` is set.
    """

    order: tuple[int, ...] | None = None
    chunks: tuple[int, ...] | None = None

    @classmethod
    def of(cls, data: Any) -> Layout:
        """Return the layout of an array."""
        if isinstance(data, np.ndarray):
            return cls(order=tuple(sorted(range(data.ndim), key=lambda axis: -abs(data.strides[axis]))))
        chunks = getattr(data, "chunksize", getattr(data, "chunks", None))
        return cls(chunks=tuple(int(n) for n in chunks or data.shape))

    def restore(self, data: Any) -> Any:
        """Return the same values laid out so; in memory or lazy as before."""
        if self.order is not None:
            values = np.asarray(data)
            back = np.argsort(self.order)
            return np.ascontiguousarray(values.transpose(self.order)).transpose(back)
        import dask.array as da

        if not isinstance(data, da.Array):
            return da.from_array(data, chunks=self.chunks, name=False)
        return data if data.chunksize == self.chunks else data.rechunk(self.chunks)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"order": list(self.order)} if self.order is not None else {"chunks": list(self.chunks or ())}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout behind `to_json`."""
        if "order" in data:
            order = tuple(int(i) for i in data["order"])
            if sorted(order) != list(range(len(order))):
                raise ValueError(f"order {order}")
            return cls(order=order)
        chunks = tuple(int(n) for n in data["chunks"])
        if min(chunks, default=1) < 1:
            raise ValueError(f"chunks {chunks}")
        return cls(chunks=chunks)
