"""What an input or output is; the names used in the signature of a technique.

Blocks reach a technique as read-only NumPy arrays (`Mask` as bool) or as the value classes of
`napari_lightbox.contract.values`.
"""

from __future__ import annotations

from collections.abc import Sequence as _Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import values


@dataclass(frozen=True)
class Role:
    """Marker behind every role name.

    Parameters
    ----------
    name
        The role.
    aligned
        The array lies on the grid of the first input and is cut into the same blocks.
    many
        The input is a sequence of such arrays.
    pixels
        The kernel looks at the values; False for inputs of which only the geometry counts, which reach it as None.
    """

    name: str
    aligned: bool = True
    many: bool = False
    pixels: bool = True


_Any: TypeAlias = NDArray[Any]

Image: TypeAlias = Annotated[_Any, Role("image")]
Labels: TypeAlias = Annotated[_Any, Role("labels")]
ImageOrLabels: TypeAlias = Annotated[_Any, Role("image_or_labels")]
Seeds: TypeAlias = Annotated[_Any, Role("seeds")]
Mask: TypeAlias = Annotated[NDArray[np.bool_], Role("mask")]
Reference: TypeAlias = Annotated[_Any, Role("image", aligned=False)]
ReferenceGrid: TypeAlias = Annotated[_Any, Role("image", aligned=False, pixels=False)]
ReferenceLabels: TypeAlias = Annotated[_Any, Role("labels", aligned=False)]
ReferenceMask: TypeAlias = Annotated[NDArray[np.bool_], Role("mask", aligned=False)]
Images: TypeAlias = Annotated[_Sequence[_Any], Role("image", aligned=False, many=True)]
Points: TypeAlias = Annotated[values.Points, Role("points", aligned=False)]
Shapes: TypeAlias = Annotated[values.Shapes, Role("shapes", aligned=False)]
Tracks: TypeAlias = Annotated[values.Points, Role("tracks", aligned=False)]
Vectors: TypeAlias = Annotated[values.Vectors, Role("vectors", aligned=False)]
Surface: TypeAlias = Annotated[values.Surface, Role("surface", aligned=False)]
Table: TypeAlias = Annotated[values.Table, Role("table", aligned=False)]
Value: TypeAlias = Annotated[float, Role("value", aligned=False)]
Transform: TypeAlias = Annotated[values.Transform, Role("transform", aligned=False)]
Model: TypeAlias = Annotated[str, Role("model", aligned=False)]
ModelValue: TypeAlias = Annotated[values.TrainedModel, Role("model", aligned=False)]

ARRAY_ROLES = frozenset({"image", "labels", "image_or_labels", "seeds", "mask"})
LABEL_ROLES = frozenset({"labels", "seeds", "mask"})
