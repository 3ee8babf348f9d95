"""Filters of planes in bands: the same as at once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from napari_lightbox.kernels import slabs
from napari_lightbox.kernels.bands import in_bands

CELLS = np.ones((7, 5), np.uint8)


@pytest.mark.parametrize("processors", [1, 2, 5])
@pytest.mark.parametrize("shape", [(700, 601), (1400, 300), (40, 9000), (3, 200_000)])
def test_bands_equal_the_whole(monkeypatch: pytest.MonkeyPatch, processors: int, shape: tuple[int, int]) -> None:
    monkeypatch.setattr(slabs, "_PROCESSORS", processors)
    plane = np.random.default_rng(0).integers(0, 2**16, shape).astype(np.uint16)
    heights: list[int] = []

    def closed(band):
        heights.append(len(band))
        return cv2.morphologyEx(band, cv2.MORPH_CLOSE, CELLS, borderType=cv2.BORDER_REPLICATE)

    np.testing.assert_array_equal(in_bands(closed, plane, 6), closed(plane))
    assert len(heights) == 1 + min(processors, shape[0] // 24 or 1, shape[0] * shape[1] // (1 << 17))


def test_too_short_a_reach_would_show() -> None:
    plane = np.random.default_rng(0).integers(0, 255, (1000, 1000)).astype(np.uint8)

    def closed(band):
        return cv2.morphologyEx(band, cv2.MORPH_CLOSE, CELLS, borderType=cv2.BORDER_REPLICATE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs, "_PROCESSORS", 4)
        assert not np.array_equal(in_bands(closed, plane, 1), closed(plane))
