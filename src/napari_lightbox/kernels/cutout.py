"""Keep an image where a label lies, or where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PIXELS_PER_THREAD = 1 << 20


def cut_out(image: NDArray[Any], labels: NDArray[Any], label: int, keep_label: bool, value: Any) -> NDArray[Any]:
    """Return the image where ``(labels == label) == keep_label``, else `value`, which has the image's type."""
    limits = None if labels.dtype.kind not in "iu" else np.iinfo(labels.dtype)
    if image.ndim != labels.ndim or limits is None or not limits.min <= label <= limits.max:
        kept = (labels == label) == keep_label
        return np.where(kept if kept.ndim == image.ndim else kept[..., np.newaxis], image, value)
    from napari_lightbox.kernels import cutout_compiled as compiled

    # only equality counts and values are only moved: one compiled kernel per pair of widths
    pixels, marks = (np.ascontiguousarray(a).reshape(-1).view(f"u{a.dtype.itemsize}") for a in (image, labels))
    pixels.flags.writeable = marks.flags.writeable = False
    out = np.empty(image.shape, image.dtype)
    filled, chosen = out.reshape(-1).view(pixels.dtype), np.array([label], labels.dtype).view(marks.dtype)[0]
    bits = np.array([value], image.dtype).view(pixels.dtype)[0]

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        compiled.cut_out(pixels[part], marks[part], chosen, keep_label, bits, filled[part])

    run_slabs(work, out.size, _PIXELS_PER_THREAD)
    return out
