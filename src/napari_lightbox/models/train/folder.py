"""Find which image belongs to which labels in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from napari_lightbox.errors import InputError

_ENDING = re.compile(r"(\.ome)?\.[A-Za-z0-9]+(\.gz)?$", re.IGNORECASE)
_IMAGES = ("images", "image", "imagesTr", "img")
_LABELS = ("labels", "label", "labelsTr", "masks", "mask", "annotations", "segmentations")
_MARK = re.compile(r"[-_. ](labels?|masks?|seg(mentation)?|gt|annotations?)$", re.IGNORECASE)
_CHANNEL = re.compile(r"_0000$")
_ADVICE = (
    "Put pictures into images/ and labels into labels/ under the same names, or name labels like cell-labels.tif beside cell.tif"
)


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return image and labels files that belong together, sorted by name.

    Either a folder ``images`` beside ``labels`` (or ``masks``) with equal names, or labels that carry the name of their
    image and ``-labels`` or ``_mask`` behind it. Files without a partner are left alone.

    Raises
    ------
    InputError
        No pair at all, or two files for one image.
    """
    if not folder.is_dir():
        raise InputError(str(folder), "is not a folder", "Give a folder with images and labels")
    images = next((folder / n for n in _IMAGES if (folder / n).is_dir()), None)
    labels = next((folder / n for n in _LABELS if (folder / n).is_dir()), None)
    if images is not None and labels is not None:
        pictures, drawn = _by_name(_files(images)), _by_name(_files(labels))
    else:
        files = _files(folder)
        drawn = _by_name(p for p in files if _MARK.search(_stem(p)))
        pictures = _by_name(p for p in files if not _MARK.search(_stem(p)))
    pairs = [(pictures[name], drawn[name]) for name in sorted(pictures) if name in drawn]
    if not pairs:
        raise InputError(str(folder), "holds no image with labels of the same name", _ADVICE)
    return pairs


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and "." in p.name)


def _stem(path: Path) -> str:
    return _ENDING.sub("", path.name)


def _by_name(files: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        name = _CHANNEL.sub("", _MARK.sub("", _stem(path)))
        if name in found:
            raise InputError(str(path), f"and {found[name].name} have the same name", "Keep one of the two")
        found[name] = path
    return found
