"""Which further files an image file makes a reader open, by its header or by its name; each must lie in the root as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from napari_lightbox.errors import AccessError, ReadError
from napari_lightbox.io.signatures import identify
from napari_lightbox.server.store.roots import check_inside

_HEADER = 2**20
_NAMED = re.compile(r"(?:ElementDataFile|data ?file)\s*[:=]+(.*)", re.IGNORECASE)
_END = {"metaimage": re.compile(rb"(?:^|\n)[ \t]*ElementDataFile[ \t]*=[^\n]*\n"), "nrrd": re.compile(rb"\n\r*\n")}
_PATTERN = re.compile(r"([^%]*)%[0-9]{0,2}d([^%]*)")
_STACKED = "_MMStack"


def check_companions(path: Path, kind: str, root: Path) -> None:
    """Go on when all files that belong to an image file end inside the root.

    Parameters
    ----------
    path
        The file, without links.
    kind
        Name of its format.
    root
        The folder that may be read.

    Raises
    ------
    AccessError
        One of them does not.
    ReadError
        It cannot be told which files they are.
    """
    if kind == "video" and identify(path) != "video":
        # decoders take a list of files for a video when nothing at its beginning says otherwise
        raise ReadError(path.name, "does not begin like a video", "Convert it to MP4 or AVI")
    for companion in _companions(path, kind):
        check_inside(companion, root)


def _companions(path: Path, kind: str) -> Iterator[Path]:
    if kind in ("metaimage", "nrrd"):
        for name in _named_in_header(path, kind):
            yield from _meant(path.parent, name)
    elif kind == "nifti":
        yield from _starting(path.parent, path.name.split(".")[0] + ".")
    elif kind == "tiff":
        yield from (path.parent / name for name in _named_in_xml(path))
        if _STACKED in path.name:
            yield from (p for p in path.parent.iterdir() if _STACKED in p.name)


def _named_in_header(path: Path, kind: str) -> Iterator[str]:
    """Yield every name that a header may give, whichever of its lines the reader believes and however it cuts them."""
    with path.open("rb") as file:
        head = file.read(_HEADER + 1)
    too_long = ReadError(path.name, "has a header that is too long", "Save it again with its samples in the same file")
    if len(head) > _HEADER and not _END[kind].search(head):
        raise too_long
    for text in (head.decode("utf-8", "replace"), head.decode("latin-1")):
        for found in _NAMED.finditer(text):
            yield found[1]
            if found[1].strip().upper().startswith("LIST"):
                if len(head) > _HEADER:
                    raise too_long
                yield from (*text[found.end() :].split("\n"), *text[found.end() :].splitlines())


def _meant(folder: Path, value: str) -> Iterator[Path]:
    """Yield the files that a header may mean: one of that name, or all that fit a pattern with a number."""
    name = value.strip()
    if not name or "\0" in name:
        return
    yield folder / name
    words = name.split()
    if "%" in words[0]:
        pattern = _PATTERN.fullmatch(words[0])
        if pattern is None or "/" in words[0] or "\\" in words[0]:
            raise AccessError(words[0][:80], "is no plain pattern of file names", "Save the image as one file")
        yield from (p for p in _starting(folder, pattern[1]) if p.name.endswith(pattern[2]))


def _named_in_xml(path: Path) -> Iterator[str]:
    import tifffile

    try:
        with tifffile.TiffFile(path, _multifile=False) as file:
            text = file.ome_metadata
        if text:
            for element in ElementTree.fromstring(text).iter():
                yield from (v for k, v in element.attrib.items() if k in ("FileName", "MetadataFile"))
    except (ValueError, OSError, LookupError, ElementTree.ParseError, tifffile.TiffFileError) as error:
        raise ReadError(path.name, "is damaged or not what it claims to be", "Copy it again from its source") from error


def _starting(folder: Path, prefix: str) -> Iterator[Path]:
    return (p for p in folder.iterdir() if p.name.startswith(prefix))
