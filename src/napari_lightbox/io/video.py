"""Video files (.mp4, .avi, .mkv, ...): any frame at any time, decoded when somebody looks at it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import Frames, lazy
from napari_lightbox.io.moving import as_frames, frame_rate
from napari_lightbox.io.streaming import Progress, slabs

_CODECS = {".mp4": "mp4v", ".avi": "FFV1", ".mkv": "FFV1"}
_SKIP_LIMIT = 24


def read(path: Path, *, start: int = 0, stop: int | None = None, step: int = 1, verify: bool = False) -> list[Volume]:
    """Read frames `start` to `stop` as t, y, x, c in RGB; `verify` counts frames by decoding instead of believing the file."""
    with reading(path):
        opened = _open(path)
        first = _next(opened)
        if first is None:
            raise ReadError(
                str(path), "holds no frame that can be decoded", "Convert it to MP4 or AVI with the program that made it"
            )
        rate = float(opened.get(5)) or 1.0
        claimed = int(opened.get(7))
        fourcc = int(opened.get(6)).to_bytes(4, "little").decode("latin-1").strip("\0")
        begin = float(opened.get(0))
    decoder = Decoder(path, rate, begin)
    count = decoder.count(claimed, exact=verify or claimed <= 0)
    source = Frames(path, (count,), first.shape, np.uint8, decoder)
    data = lazy(source, (1, *first.shape), path)[start:stop:step]
    seconds = Geometry.of("tyxc", source.shape, {"t": 1 / rate}, None, ("s", "pixel", "pixel", "pixel"))
    geometry = seconds.crop([start if start >= 0 else max(0, count + start), 0, 0, 0], data.shape).with_spacing(
        {"t": step / rate}
    )
    metadata = {"fps": rate, "frames": count, "duration": count / rate, "codec": fourcc}
    return [Volume(data, geometry, metadata, "image", path.stem)]


def write(
    path: Path, volumes: Sequence[Volume], *, progress: Progress | None = None, fps: float | None = None, codec: str | None = None
) -> None:
    """Write frame by frame; `.avi` and `.mkv` are lossless (FFV1) unless `codec` says otherwise, `.mp4` is MPEG-4.

    Odd widths and heights grow by one pixel, which repeats the border: codecs work on pairs.
    """
    (volume,) = volumes
    if volume.role == "labels":
        raise WriteError(str(path), "video codecs change label numbers", "Write labels as TIFF or OME-Zarr")
    frames = as_frames(path, volume)
    rate = fps if fps is not None else frame_rate(frames)
    with replacing(path) as target:
        written = _encode(target, frames.data, rate, codec or _CODECS[path.suffix.lower()], progress)
        if written is None:
            reason = f"the codec {codec or _CODECS[path.suffix.lower()]} at {rate:g} frames per second is not available"
            raise WriteError(str(path), reason, "Choose another codec or fps, or write .avi")
        found = _arrived(target, rate, written)
        if found != written:
            reason = f"only {found} of {written} frames arrived, most likely because no space is left on the device"
            raise WriteError(str(path), reason, "Free some space, or write to another disk")


class Decoder:
    """Decodes frame `number` of a file; each thread has its own decoder and seeks only when it has to.

    Containers may lie about where a frame is. After a seek the time stamp of the frame is compared with the one it must
    have; when they differ the file is decoded from its beginning instead.
    """

    def __init__(self, path: Path, rate: float, begin: float) -> None:
        self.path, self.rate, self.begin = path, rate, begin
        self._local = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without open decoders."""
        return type(self), (self.path, self.rate, self.begin)

    def __call__(self, number: int) -> NDArray[Any]:
        """Return frame `number` in RGB."""
        frame = self._at(number)
        if frame is None:
            raise damaged(self.path, f"frame {number} cannot be decoded")
        return frame

    def count(self, claimed: int, *, exact: bool) -> int:
        """Return how many frames can be decoded; believes `claimed` when its last frame is there."""
        with reading(self.path):
            if not exact and self._at(claimed - 1) is not None:
                return claimed
            opened, number = _open(self.path), 0
            while opened.grab():
                number += 1
            return number

    def _at(self, number: int) -> NDArray[Any] | None:
        state = self._local
        position = getattr(state, "position", None)
        near = position is not None and 0 <= number - position <= _SKIP_LIMIT
        if not near and not self._sought(number):
            state.opened, state.position = _open(self.path), 0
        while state.position < number:
            if not state.opened.grab():
                state.position = None
                return None
            state.position += 1
        frame = _next(state.opened)
        state.position = None if frame is None else number + 1
        return frame

    def _sought(self, number: int) -> bool:
        """Go to just before `number`; tell whether that is where the decoder is now."""
        if number <= _SKIP_LIMIT or getattr(self._local, "sequential", False):
            return False
        opened = getattr(self._local, "opened", None) or _open(self.path)
        before = number - 1
        if opened.set(1, before) and opened.grab():
            found = (float(opened.get(0)) - self.begin) * self.rate / 1000
            if abs(found - before) < 0.25:
                self._local.opened, self._local.position = opened, number
                return True
        self._local.sequential = True
        return False


def _arrived(target: Path, rate: float, written: int) -> int:
    """Count the frames of a file just written: the encoder does not say when the disk is full."""
    try:
        return Decoder(target, rate, 0.0).count(written, exact=False)
    except ReadError:
        return 0


def _open(path: Path) -> Any:
    import cv2

    path.open("rb").close()
    opened = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not opened.isOpened():
        raise damaged(path, "cannot be opened as a video")
    return opened


def _next(opened: Any) -> NDArray[Any] | None:
    import cv2

    good, frame = opened.read()
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if good else None


def _encode(target: Path, data: Any, rate: float, codec: str, progress: Progress | None) -> int | None:
    """Encode all frames; return their number, None when the codec is not there."""
    import cv2

    count, height, width = data.shape[:3]
    even = (width + width % 2, height + height % 2)
    writer = cv2.VideoWriter(str(target), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), rate, even)
    if not writer.isOpened():
        return None
    done = 0
    try:
        for slab in slabs(data):
            for frame in slab:
                padded = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
                writer.write(cv2.cvtColor(padded, cv2.COLOR_RGB2BGR if frame.ndim == 3 else cv2.COLOR_GRAY2BGR))
                done += 1
            if progress is not None:
                progress(done / count)
    finally:
        writer.release()
    return done
