"""GIF: still or moving, at most 256 colours a frame; gray frames are exact."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Frames, Held, Source, lazy
from napari_lightbox.io.moving import as_frames, frame_rate
from napari_lightbox.io.note import from_text, note_of, restored, to_text
from napari_lightbox.io.streaming import Progress, slabs
from napari_lightbox.io.world import with_axes

_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT = 0xF9, 0xFE
_LARGEST = 65535
_HELD_BYTES = 512 * 2**20


def read(path: Path) -> list[Volume]:
    """Read a GIF as t, y, x, c (a still one as y, x, c); they are decoded when somebody looks."""
    with reading(path):
        scan = _scan(path)
    note = from_text(scan.comment)
    gray = note is not None and str(note.get("stored", "")) == "tyx"
    mode = "L" if gray else "RGBA" if scan.transparent else "RGB"
    frame = (scan.height, scan.width, *(() if gray else (len(mode),)))
    shape, load = (len(scan.delays), *frame), _Loader(path, mode)
    small = math.prod(shape) <= _HELD_BYTES
    source: Source = Held(path, shape, np.uint8, load.all) if small else Frames(path, shape[:1], frame, np.uint8, load)
    data = lazy(source, (1, *frame), path)
    step = float(np.mean(scan.delays)) / 100
    axes = "tyx" + ("" if gray else "c")
    units = ("s" if step > 0 else "pixel", *["pixel"] * (len(axes) - 1))
    geometry = Geometry.of(axes, source.shape, {"t": step or 1.0}, None, units)
    metadata = {"fps": 1 / step if step else None, "frames": len(scan.delays), "durations": [d / 100 for d in scan.delays]}
    volume = Volume(data, geometry, metadata, "image", path.stem)
    if note is None and len(scan.delays) == 1:
        return [with_axes(volume, axes[1:])]
    return [restored(volume, note, stated="nothing")]


def write(path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None, fps: float | None = None) -> None:
    """Write frame by frame; frames of more than 256 colours are reduced to the best 256."""
    (volume,) = volumes
    frames = as_frames(path, volume)
    if max(frames.shape[1:3]) > _LARGEST:
        raise WriteError(str(path), f"GIF holds at most {_LARGEST} pixels a side", "Write TIFF or OME-Zarr")
    delay = max(1, round(100 / (fps if fps is not None else frame_rate(frames))))
    note = to_text({**note_of(frames, volume.axes), "stored": frames.axes}).encode("ascii")
    done = 0
    with replacing(path) as target, target.open("wb") as file:
        file.write(_head(frames.shape[2], frames.shape[1], note))
        for slab in slabs(frames.data):
            for frame in slab:
                file.write(_frame_bytes(frame, delay))
                done += 1
            if progress is not None:
                progress(done / max(1, frames.shape[0]))
        file.write(bytes([_END]))


class _Loader:
    """Decodes all frames, or frame `number`; each thread keeps its own open file and decodes on from where it is."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path, self.mode, self._local = path, mode, threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.mode)

    def __call__(self, number: int) -> NDArray[Any]:
        from PIL import Image

        if not hasattr(self._local, "picture"):
            self._local.picture = Image.open(self.path)
        self._local.picture.seek(number)
        return np.array(self._local.picture.convert(self.mode))

    def all(self) -> NDArray[Any]:
        """Decode every frame in one pass."""
        from PIL import Image, ImageSequence

        with Image.open(self.path) as picture:
            return np.stack([np.array(frame.convert(self.mode)) for frame in ImageSequence.Iterator(picture)])


@dataclass(frozen=True)
class _Scan:
    """What the blocks of a file say, found without decoding."""

    width: int
    height: int
    delays: list[int]
    transparent: bool
    comment: bytes


def _scan(path: Path) -> _Scan:
    content = path.read_bytes()
    width, height, packed = struct.unpack_from("<HHB", content, 6)
    position = 13 + _table_size(packed)
    delays: list[int] = []
    comment, delay, transparent = b"", 0, False
    while content[position] != _END:
        kind = content[position]
        if kind == _EXTENSION:
            label = content[position + 1]
            body, position = _sub_blocks(content, position + 2)
            if label == _CONTROL:
                delay = int.from_bytes(body[1:3], "little")
                transparent |= bool(body[0] & 1) and not delays
            elif label == _COMMENT:
                comment += body
        elif kind == _IMAGE:
            _, position = _sub_blocks(content, position + 10 + _table_size(content[position + 9]) + 1)
            delays.append(delay)
        else:
            raise damaged(path, f"has an unknown block at byte {position}")
    if not delays:
        raise damaged(path, "holds no frame")
    return _Scan(width, height, delays, transparent, comment)


def _table_size(packed: int) -> int:
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(content: bytes, position: int) -> tuple[bytes, int]:
    parts = []
    while size := content[position]:
        parts.append(content[position + 1 : position + 1 + size])
        position += 1 + size
    return b"".join(parts), position + 1


def _head(width: int, height: int, note: bytes) -> bytes:
    """Return the header with a gray palette, endless repetition and the note as comment."""
    palette = bytes(v for gray in range(256) for v in (gray, gray, gray))
    pieces = [note[i : i + 255] for i in range(0, len(note), 255)]
    comment = b"".join(bytes([len(p)]) + p for p in pieces)
    repeat = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette + repeat + b"\x21\xfe" + comment + b"\0"


def _frame_bytes(frame: NDArray[np.uint8], delay: int) -> bytes:
    from PIL import GifImagePlugin, Image

    picture = Image.fromarray(np.ascontiguousarray(frame)) if frame.ndim == 2 else _with_palette(frame)
    return b"".join(GifImagePlugin.getdata(picture, duration=delay * 10, include_color_table=frame.ndim == 3))


def _with_palette(frame: NDArray[np.uint8]) -> Any:
    """Return a palette picture, exact when the frame has at most 256 colours."""
    from PIL import Image

    wide = frame.astype(np.uint32)
    packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    colours, index = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        return Image.fromarray(np.ascontiguousarray(frame)).quantize(256)
    picture = Image.fromarray(index.reshape(packed.shape).astype(np.uint8), "P")
    table = np.stack([(colours >> shift) & 255 for shift in (16, 8, 0)], 1).astype(np.uint8)
    picture.putpalette(table.tobytes() + bytes(3 * (256 - len(colours))))
    return picture
