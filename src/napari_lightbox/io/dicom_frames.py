"""Samples of DICOM frames: read when somebody looks, one frame at a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import MissingDependencyError
from napari_lightbox.io.dicom_headers import Frame, Pixels
from napari_lightbox.io.failures import reading
from napari_lightbox.io.rescale import Rescale

_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PALETTE = "PALETTE COLOR"
_JPEG = "1.2.840.10008.1.2.4."
_CODECS = (
    ((_JPEG + "50", _JPEG + "51"), "jpeg_decode"),
    ((_JPEG + "57", _JPEG + "70"), "ljpeg_decode"),
    ((_JPEG + "80", _JPEG + "81"), "jpegls_decode"),
    ((_JPEG + "90", _JPEG + "91", _JPEG + "201", _JPEG + "202", _JPEG + "203"), "jpeg2k_decode"),
)


def sample_shape(pixels: Pixels) -> tuple[int, ...]:
    """Return the shape of one frame; palettes become colours."""
    colour = pixels.samples if pixels.samples > 1 else 3 if pixels.photometric == _PALETTE else 0
    return (pixels.rows, pixels.columns, *((colour,) if colour else ()))


def stored_dtype(pixels: Pixels) -> np.dtype[Any]:
    """Return the dtype of the stored samples."""
    if pixels.floating:
        return np.dtype(pixels.floating)
    return np.dtype(f"{'i' if pixels.signed else 'u'}{max(1, pixels.allocated // 8)}")


def stored_range(pixels: Pixels) -> tuple[int, int]:
    """Return the smallest and largest sample that the used bits can hold."""
    if pixels.signed:
        return -(2 ** (pixels.stored - 1)), 2 ** (pixels.stored - 1) - 1
    return 0, 2**pixels.stored - 1


class Loader:
    """Loads frame `number` of a volume and turns its samples into values."""

    def __init__(self, frames: list[Frame], rescales: list[Rescale]) -> None:
        self.frames, self.rescales = frames, rescales

    def __call__(self, number: int) -> NDArray[Any]:
        """Return the values of one frame."""
        frame = self.frames[number]
        with reading(frame.path):
            samples = _native(frame) if _is_simple(frame.pixels) else _decoded(frame)
        return self.rescales[number](samples)


def _is_simple(pixels: Pixels) -> bool:
    whole = pixels.allocated in (8, 16, 32) or bool(pixels.floating)
    swapped = pixels.syntax == _BIG_ENDIAN and pixels.allocated == 8
    return pixels.offset is not None and whole and not swapped and pixels.photometric in ("MONOCHROME1", "MONOCHROME2")


def _native(frame: Frame) -> NDArray[Any]:
    """Read uncompressed gray samples straight from the file; bits that are not used are cleared."""
    pixels = frame.pixels
    stored = stored_dtype(pixels).newbyteorder(">" if pixels.syntax == _BIG_ENDIAN else "<")
    count = pixels.rows * pixels.columns
    offset = (pixels.offset or 0) + frame.number * count * stored.itemsize
    samples = np.fromfile(frame.path, stored, count, offset=offset).reshape(pixels.rows, pixels.columns)
    return _used_bits(samples.astype(stored.newbyteorder("=")), pixels)


def _used_bits(samples: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    unused = pixels.allocated - pixels.stored
    if unused <= 0 or pixels.floating:
        return samples
    shifted: NDArray[Any] = np.right_shift(np.left_shift(samples, unused), unused)
    return shifted


def _decoded(frame: Frame) -> NDArray[Any]:
    """Decode through pydicom's decoders, then through imagecodecs for what they cannot do."""
    from pydicom.pixels import apply_color_lut, pixel_array

    pixels = frame.pixels
    try:
        samples = pixel_array(frame.path, index=frame.number)
    except (RuntimeError, NotImplementedError, ValueError, AttributeError):
        try:
            samples = pixel_array(_whole(frame.path), index=frame.number)
        except (RuntimeError, NotImplementedError, ValueError, AttributeError) as error:
            samples = _by_imagecodecs(frame)
            if samples is None:
                raise _missing(frame.path, error) from error
    if pixels.photometric == _PALETTE:
        palette = _whole(frame.path)
        samples = apply_color_lut(samples, palette)
        if samples.itemsize > stored_dtype(pixels).itemsize and _is_deep(palette):
            samples = samples >> 8
    return np.asarray(samples).reshape(sample_shape(pixels))


def _is_deep(dataset: Any) -> bool:
    """Tell whether the entries of a 16-bit palette use more than their lower byte."""
    names = ("RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData")
    return any(np.frombuffer(dataset[n].value, "<u2").max(initial=0) > 255 for n in names if n in dataset)


def _whole(path: Path) -> Any:
    from pydicom import dcmread

    return dcmread(path, force=True)


def _by_imagecodecs(frame: Frame) -> NDArray[Any] | None:
    """Return the samples of a packed frame, or None when imagecodecs cannot decode it either."""
    import imagecodecs
    from pydicom.encaps import get_frame

    pixels = frame.pixels
    codec = next((name for uids, name in _CODECS if pixels.syntax in uids), None)
    if codec is None or pixels.photometric.startswith("YBR_F"):
        return None
    dataset = _whole(frame.path)
    packed = get_frame(dataset.PixelData, frame.number, number_of_frames=int(dataset.get("NumberOfFrames", 1) or 1))
    try:
        samples = np.asarray(getattr(imagecodecs, codec)(packed))
    except (RuntimeError, ValueError, AttributeError):
        return None
    if samples.shape != (pixels.rows, pixels.columns, *((pixels.samples,) if pixels.samples > 1 else ())):
        return None
    return _used_bits(samples.astype(f"u{samples.itemsize}").astype(stored_dtype(pixels)), pixels)


def _missing(path: Path, error: Exception) -> Exception:
    """Return our error when a decoder is not installed, else the error itself."""
    text = str(error)
    if "missing" not in text.lower() and "require" not in text.lower():
        return error
    packages = sorted(set(re.findall(r"\b(pylibjpeg(?:-\w+)?|python-gdcm|gdcm|pillow|pyjpegls|numpy)\b", text)))
    wanted = [p for p in packages if p.startswith("pylibjpeg")] or packages
    reason = "its compression needs a decoder that is not installed"
    return MissingDependencyError(str(path), reason, f"Install one of: {', '.join(wanted) or 'pylibjpeg[all]'}")
