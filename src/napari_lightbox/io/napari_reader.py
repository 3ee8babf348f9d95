"""npe2 reader hook: which files napari may hand to us, and how they become layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_lightbox.axes import Volume
from napari_lightbox.errors import FormatError, ReadError
from napari_lightbox.io.formats import format_of, read
from napari_lightbox.io.layer_data import LayerData, volume_to_layer

ReaderFunction = Callable[[Any], list[LayerData]]


def get_reader(path: str | Sequence[str]) -> ReaderFunction | None:
    """Return the function that reads `path` into layers, or None when it is not for us.

    Damaged files are for us: reading them raises the error that says what is wrong.
    """
    paths = [path] if isinstance(path, str) else list(path)
    if not paths or any("://" in p for p in paths):
        return None
    return read_layers if all(map(_is_ours, paths)) else None


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Return the layers in a file, a folder or a list of files; tables hold no pixels and make no layer."""
    return [volume_to_layer(v) for v in read(path) if isinstance(v, Volume)]


def _is_ours(path: str) -> bool:
    try:
        return format_of(Path(path)).name != "tables"
    except FormatError:
        return False
    except ReadError:
        return Path(path).exists()
