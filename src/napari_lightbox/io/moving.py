"""What video and GIF share: which volumes are moving pictures, how time becomes frames per second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.errors import WriteError
from napari_lightbox.io.world import with_axes

_DEFAULT_RATE = 20.0
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0}


def as_frames(path: Path, volume: Volume) -> Volume:
    """Return the volume as t, y, x or t, y, x, c with three channels; axes of length one are dropped.

    Raises
    ------
    WriteError
        It has other axes, or samples that are not uint8.
    """
    sizes = dict(zip(volume.axes, volume.shape, strict=True))
    extra = [a for a, n in sizes.items() if a not in "tyx" and n != 1 and not (a == "c" and n == 3)]
    if extra or not {"t", "y", "x"} <= sizes.keys():
        reason = f"a video holds the axes t, y, x and RGB, the volume has {volume.axes!r}"
        raise WriteError(str(path), reason, "Select or rename axes first, or write OME-Zarr or TIFF")
    if volume.dtype != np.uint8:
        reason = f"a video holds uint8 samples, the volume has {volume.dtype}"
        raise WriteError(str(path), reason, "Rescale it to uint8 first, or write OME-Zarr or TIFF")
    return with_axes(volume, "tyxc" if sizes.get("c") == 3 else "tyx")


def frame_rate(volume: Volume) -> float:
    """Return frames per second: from the time step, else from the source's metadata, else 20."""
    step, unit = volume.geometry.spacing_along("t")[0], dict(zip(volume.axes, volume.geometry.units, strict=True))["t"]
    if unit in _SECONDS:
        return 1 / (step * _SECONDS[unit])
    return float(volume.metadata.get("fps") or _DEFAULT_RATE)
