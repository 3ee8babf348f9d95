"""Volume: an array, its geometry and its metadata; the one value passed around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.errors import AxesError

LayerRole = Literal["image", "labels"]


@dataclass(frozen=True, eq=False)
class Volume:
    """Any array-like with the geometry that places it.

    Parameters
    ----------
    data
        NumPy, dask or zarr array; nothing is read until somebody indexes it.
    geometry
        Axes, shape, affine and units; the shape must equal that of `data`.
    metadata
        What the file said and how the volume was made (key ``"provenance"``).
    role
        ``"image"`` or ``"labels"``.
    name
        Name to show for the layer.
    """

    data: Any
    geometry: Geometry
    metadata: Mapping[str, Any] = field(default_factory=dict)
    role: LayerRole = "image"
    name: str = ""

    def __post_init__(self) -> None:
        shape = tuple(self.data.shape)
        if len(shape) != len(self.geometry.shape) or any(
            n != m for n, m in zip(shape, self.geometry.shape, strict=True) if n == n
        ):
            raise AxesError(
                "volume", f"data has shape {shape}, the geometry says {self.geometry.shape}", "Pass the geometry of this array"
            )

    @property
    def axes(self) -> str:
        """Axis letters."""
        return self.geometry.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.geometry.shape

    @property
    def dtype(self) -> Any:
        """Data type of the array."""
        return self.data.dtype

    def with_data(self, data: Any, **changes: Any) -> Volume:
        """Return a volume at the same place with other values; lengths not known so far (0) are those of the data."""
        geometry = changes.pop("geometry", None) or self._known_as(data.shape)
        return replace(self, data=data, geometry=geometry, **changes)

    def _known_as(self, lengths: Sequence[int]) -> Geometry:
        shape = tuple(m if m or n != n else n for m, n in zip(self.geometry.shape, lengths, strict=False))
        return self.geometry if shape == self.geometry.shape else replace(self.geometry, shape=shape)
