"""One volume from a file that may hold several."""

from __future__ import annotations

from pathlib import Path

from napari_lightbox.axes import Volume
from napari_lightbox.errors import ReadError
from napari_lightbox.io.formats import by_suffix, read


def volume_in(path: str, *, labels: bool = False) -> Volume:
    """Return the volume in a file, the labels among several when labels are wanted.

    Raises
    ------
    ReadError
        The file holds no image.
    """
    found = [v for v in read(path) if isinstance(v, Volume)]
    if not found:
        raise ReadError(path, "holds no image", "Give an image or labels file")
    return next((v for v in found if (v.role == "labels") == labels), found[0])


def images_in(folder: Path, pattern: str = "*") -> list[Path]:
    """Return the images in a folder by name, OME-Zarr folders included; tables and unknown files are left out."""
    found = []
    for path in sorted(folder.glob(pattern)):
        known = by_suffix(path)
        if known is not None and known.name != "tables" and not path.name.startswith("."):
            found.append(path)
    return found
