"""Which files a batch works on, from files, folders and patterns, and where the result of each goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.io.formats import by_suffix, format_of
from napari_lightbox.io.result_files import name_targets
from napari_lightbox.io.signatures import identify, looks_like_bare_dicom

_WILD = "*?["
_LOOKED_AT = 32
_PAIRED = {".img": ".hdr", ".img.gz": ".hdr.gz"}


@dataclass(frozen=True)
class Found:
    """One input.

    Parameters
    ----------
    path
        A file, or a folder that is one image.
    root
        The folder under which it was found; where it lies below that is kept in the results.
    """

    path: Path
    root: Path


def find_inputs(texts: Sequence[str], output: Path) -> list[Found]:
    """Return the inputs that some files, folders and patterns stand for, each once.

    Folders and patterns leave out what lies in `output`: these are results of before.

    Raises
    ------
    InputError
        A folder holds no image, or nothing fits a pattern.
    """
    found: dict[Path, Found] = {}
    for text in texts:
        path = absolute(text)
        if path.is_dir():
            inputs = _without(output, path, _in_folder(path))
        elif any(sign in text for sign in _WILD) and not path.exists():
            inputs = _fitting(text, output)
        else:
            inputs = [Found(path, path.parent)]
        if not inputs:
            raise InputError(text, "holds no image", "Check the path; hidden files and earlier results are not looked at")
        for one in inputs:
            found.setdefault(one.path, one)
    return list(found.values())


def place_results(inputs: Sequence[Found], output: Path, ending: str | None) -> dict[Path, Path]:
    """Return the result file of each input, below `output` as the input lies below the folder that was named.

    Where that would give two inputs the same result, all lie as they do below the folder that holds all of them.

    Raises
    ------
    InputError
        Two inputs have the same result all the same, or a result would take the place of an input.
    FormatError
        No writer for the ending.
    """
    targets = {one.path: _target(one.path, one.root, output, ending) for one in inputs}
    if _is_ambiguous(targets):
        root = _shared_folder(inputs)
        targets = {one.path: _target(one.path, root, output, ending) for one in inputs}
    if _is_ambiguous(targets):
        raise InputError("inputs", "two of them would write the same result", "Run them into different folders")
    taken = targets.keys() & set(targets.values())
    if taken:
        raise InputError("-o", f"a result would take the place of {min(taken)}", "Choose another folder, or --format")
    return targets


def absolute(path: str | Path) -> Path:
    """Return a path that means the same from every folder; links stay as they were named."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - resolve() would follow links


def _fitting(pattern: str, output: Path) -> list[Found]:
    """Return the files that fit a pattern, and the images in folders that do."""
    pattern = str(Path(pattern).expanduser())
    root = absolute(_before_wildcards(Path(pattern)))
    matches = [absolute(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - takes any pattern
    inputs = [one.path for match in matches for one in (_in_folder(match) if match.is_dir() else [Found(match, root)])]
    folders = {path for path in inputs if path.is_dir()}
    return _without(output, root, [Found(path, root) for path in inputs if folders.isdisjoint(path.parents)])


def _in_folder(folder: Path) -> list[Found]:
    """Return the folder itself when it is one image, otherwise the images below it."""
    if _is_image(folder):
        return [Found(folder, folder.parent)]
    return sorted((Found(path, folder) for path in _images_below(folder)), key=lambda one: one.path)


def _images_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        images = [name for name in folders if not name.startswith(".") and _is_image(here / name)]
        folders[:] = [name for name in folders if not name.startswith(".") and name not in images]
        yield from (here / name for name in images)
        yield from (here / name for name in names if _is_wanted(name, names))


def _is_image(folder: Path) -> bool:
    """Tell whether a folder is an OME-Zarr image, or holds the slices of a DICOM series."""
    if format_of(folder).name == "ome_zarr":
        return True
    files = (entry for entry in sorted(folder.iterdir()) if entry.is_file() and not entry.name.startswith("."))
    unclear = [file for file in files if (known := by_suffix(file)) is None or known.name == "dicom"]
    return any(map(_is_dicom, unclear[:_LOOKED_AT]))


def _is_dicom(file: Path) -> bool:
    # slices are often named by a number, and raw samples begin with any two bytes
    may_be_bare = by_suffix(file) is not None or file.suffix == "" or file.suffix[1:].isdigit()
    try:
        return identify(file) == "dicom" or (may_be_bare and looks_like_bare_dicom(file))
    except LightboxError:
        return False


def _is_wanted(name: str, names: Sequence[str]) -> bool:
    """Tell whether a file among others is an image of its own."""
    known = by_suffix(Path(name))
    if name.startswith(".") or known is None or known.name == "tables":
        return False
    header = next((name[: -len(end)] + other for end, other in _PAIRED.items() if name.lower().endswith(end)), None)
    return header is None or header not in names


def _without(output: Path, root: Path, inputs: Sequence[Found]) -> list[Found]:
    """Return the inputs that are no results; those below a folder of results that was named itself are inputs all the same."""
    return [one for one in inputs if root.is_relative_to(output) or not one.path.is_relative_to(output)]


def _target(path: Path, root: Path, output: Path, ending: str | None) -> Path:
    return name_targets([str(path)], output / path.parent.relative_to(root), ending)[str(path)]


def _is_ambiguous(targets: dict[Path, Path]) -> bool:
    return len(set(targets.values())) < len(targets)


def _shared_folder(inputs: Sequence[Found]) -> Path:
    try:
        return Path(os.path.commonpath([one.path.parent for one in inputs]))
    except ValueError:
        raise InputError("inputs", "of the same name lie on different disks", "Run them into different folders") from None


def _before_wildcards(pattern: Path) -> Path:
    parts = pattern.parts
    return Path(*parts[: next(number for number, part in enumerate(parts) if any(sign in part for sign in _WILD))])
