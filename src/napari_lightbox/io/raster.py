"""PNG, JPEG, BMP and WebP: single pictures, gray or colour."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.note import from_text, note_of, restored, to_text
from napari_lightbox.io.streaming import Progress
from napari_lightbox.io.world import arranged, with_axes

_PNG_START = b"\x89PNG\r\n\x1a\n"
_LABEL_ENDINGS = ("labels", "label", "seg", "segmentation")


def read(path: Path) -> list[Volume]:
    """Read one picture; dtype, bit depth and alpha are kept, palettes become colours."""
    with reading(path):
        content = path.read_bytes()
        is_png = content.startswith(_PNG_START)
        array, note = _decoded_png(path, content) if is_png else _decoded(path)
    axes = "yx" if array.ndim == 2 else "yxc"
    is_labels = named_like_labels(path) and array.dtype.kind in "iu" and axes == "yx"
    volume = Volume(array, Geometry(axes, array.shape), {}, "labels" if is_labels else "image", path.stem)
    return [restored(volume, note, stated="nothing")]


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None, quality: int = 95) -> None:
    """Write one picture; `quality` is that of JPEG and WebP (100 makes WebP lossless)."""
    (volume,) = volumes
    flat = _flat(path, volume)
    suffix = path.suffix.lower()
    _check(path, suffix, flat)
    with replacing(path) as partial:
        pixels = np.asarray(flat.data)
        note = to_text(note_of(flat, volume.axes, dtype="bool" if pixels.dtype.kind == "b" and suffix != ".png" else None))
        partial.write_bytes(_encoded_png(pixels, note) if suffix == ".png" else _encoded(pixels, suffix, quality, note))
    if progress is not None:
        progress(1.0)


def named_like_labels(path: Path) -> bool:
    """Tell whether the file name ends like one that holds labels (``nuclei_labels.png``)."""
    words = path.name.split(".")[0].lower().replace("-", "_").split("_")
    return len(words) > 1 and words[-1] in _LABEL_ENDINGS


def _flat(path: Path, volume: Volume) -> Volume:
    """Return the volume as y, x or y, x, c; axes of length one are dropped."""
    extra = [a for a, n in zip(volume.axes, volume.shape, strict=True) if a not in "yxc" and n != 1]
    if extra or not {"y", "x"} <= set(volume.axes):
        reason = f"a picture holds the axes y, x and c, the volume has {volume.axes!r}"
        raise WriteError(str(path), reason, "Select one plane, or write TIFF, OME-Zarr or NIfTI")
    keep = volume.axes.replace("c", "") if dict(zip(volume.axes, volume.shape, strict=True)).get("c") == 1 else volume.axes
    return arranged(with_axes(volume, "".join(a for a in keep if a in "yxc")), "yxc")


def _check(path: Path, suffix: str, volume: Volume) -> None:
    """Refuse what the format would change."""
    dtype, samples = np.dtype(volume.dtype), volume.shape[2] if volume.axes.endswith("c") else 1
    deep = (dtype == np.uint16 and suffix == ".png") or dtype.kind == "b"
    if dtype != np.uint8 and not deep:
        holds = "uint8 and uint16" if suffix == ".png" else "uint8"
        raise WriteError(
            str(path), f"{suffix} holds {holds} samples, the volume has {dtype}", "Write TIFF or OME-Zarr, or rescale it first"
        )
    allowed = {".png": (1, 2, 3, 4), ".webp": (3, 4)}.get(suffix, (1, 3))
    if samples not in allowed or (dtype.kind == "b" and samples != 1):
        raise WriteError(str(path), f"{suffix} cannot hold {samples} channels of {dtype}", "Write TIFF or OME-Zarr")
    if suffix in (".jpg", ".jpeg") and (volume.role == "labels" or dtype.kind == "b"):
        raise WriteError(str(path), "JPEG blurs label numbers into one another", "Write labels as PNG, TIFF or OME-Zarr")


def _decoded(path: Path) -> tuple[NDArray[Any], dict[str, Any] | None]:
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        note = from_text(picture.info.get("comment"))
        upright = ImageOps.exif_transpose(picture)
        return _as_array(upright), note


def _as_array(picture: Any) -> NDArray[Any]:
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA" if "transparency" in picture.info or picture.mode == "PA" else "RGB")
    elif picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        picture = picture.convert("RGB")
    return np.array(picture)


def _decoded_png(path: Path, content: bytes) -> tuple[NDArray[Any], dict[str, Any] | None]:
    """Decode a PNG after checking that it is whole; 16-bit colour goes through libpng, which keeps all bits."""
    chunks = _png_chunks(path, content)
    depth, colour = chunks[b"IHDR"][8], chunks[b"IHDR"][9]
    note = from_text(chunks.get(b"tEXt"))
    if depth == 16 and colour != 0:
        import imagecodecs

        return imagecodecs.png_decode(content), note
    import io

    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        pixels = _as_array(picture)
    return (pixels.astype(np.uint16) if depth == 16 else pixels), note


def _png_chunks(path: Path, content: bytes) -> dict[bytes, bytes]:
    """Return the chunks by type; of several text chunks, ours."""
    chunks: dict[bytes, bytes] = {}
    position = len(_PNG_START)
    while b"IEND" not in chunks:
        if position + 12 > len(content):
            raise damaged(path, "is cut off before its end")
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        body = content[position + 8 : position + 8 + length]
        if kind != b"tEXt" or from_text(body):
            chunks[kind] = body
        position += 12 + length
    return chunks


def _encoded_png(pixels: NDArray[Any], note: str) -> bytes:
    content = _png_bytes(pixels)
    body = b"tEXt" + b"napari-lightbox\0" + note.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    header_end = len(_PNG_START) + 25
    return content[:header_end] + chunk + content[header_end:]


def _png_bytes(pixels: NDArray[Any]) -> bytes:
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        import imagecodecs

        return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6))
    return _pillow_bytes(pixels, "PNG")


def _encoded(pixels: NDArray[Any], suffix: str, quality: int, note: str) -> bytes:
    pixels = pixels.astype(np.uint8) if pixels.dtype.kind == "b" else pixels
    if suffix == ".webp":
        return _pillow_bytes(pixels, "WEBP", quality=quality, lossless=quality >= 100)
    if suffix == ".bmp":
        return _pillow_bytes(pixels, "BMP")
    return _pillow_bytes(pixels, "JPEG", quality=quality, subsampling=0, comment=note.encode("ascii"))


def _pillow_bytes(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, **options)
    return buffer.getvalue()
