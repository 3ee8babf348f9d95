"""Fluorescence channels are no colours: any number of them is used, none is dropped."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import slic

import napari_lightbox as lb


def two_by_two(channels: int) -> np.ndarray:
    """Return a picture whose quarters differ in the last channels only."""
    image = np.zeros((24, 24, channels), np.uint8)
    image[:12, :, -1] = 200
    image[:, :12, -2] = 200
    return image


@pytest.mark.parametrize("channels", [2, 5])
def test_kmeans_uses_every_channel(channels: int) -> None:
    labels, table = lb.apply("kmeans_segmentation", two_by_two(channels), axes="yxc", n_clusters=4)
    quarters = labels[:12, :12], labels[:12, 12:], labels[12:, :12], labels[12:, 12:]
    assert len({int(q[0, 0]) for q in quarters}) == 4
    assert all((q == q[0, 0]).all() for q in quarters)
    assert [n for n in table if n.startswith("channel_")] == [f"channel_{i}" for i in range(channels)]


@pytest.mark.parametrize("channels", [2, 5])
def test_slic_equals_scikit_image_on_any_channels(channels: int) -> None:
    image = two_by_two(channels)
    labels = lb.apply("slic_superpixels", image, axes="yxc", n_segments=9)
    np.testing.assert_array_equal(labels, slic(image, 9, compactness=10, convert2lab=False, channel_axis=-1))
