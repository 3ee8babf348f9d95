"""Recognise a file by its content, whatever it is called."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from napari_lightbox.io.failures import reading

_STARTS: dict[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "raster",
    b"\xff\xd8\xff": "raster",
    b"BM": "raster",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"NRRD000": "nrrd",
    b"\x1a\x45\xdf\xa3": "video",
}
_NIFTI_2 = (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")
_ANALYZE = ((348).to_bytes(4, "little"), (348).to_bytes(4, "big"))
_NO_PREAMBLE = (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")


def identify(path: Path) -> str | None:
    """Return the name of the format that the first bytes of `path` show, or None.

    DICOM comes first: its preamble may hold a TIFF header.

    Tables, and DICOM files without preamble, have no signature of their own.
    """
    with reading(path), path.open("rb") as file:
        head = file.read(1024)
    if head[:2] == b"\x1f\x8b":
        return _by_head(_unzipped(path))
    return _by_head(head)


def looks_like_bare_dicom(path: Path) -> bool:
    """Tell whether `path` may be a DICOM data set without the usual 128-byte preamble."""
    with reading(path), path.open("rb") as file:
        return file.read(2) in _NO_PREAMBLE


def _by_head(head: bytes) -> str | None:
    if head[128:132] == b"DICM":
        return "dicom"
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF":
        return {b"AVI ": "video", b"WEBP": "raster"}.get(head[8:12])
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"heic", b"mif1", b"jp2 "):
        return "video"
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:12] in _NIFTI_2 or head[:4] in _ANALYZE:
        return "nifti"
    if b"ElementType" in head and b"DimSize" in head:
        return "metaimage"
    return None


def _unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(1024)
    except (OSError, EOFError, zlib.error):
        return b""
