"""Classical segmentation beside scikit-image and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case


def discs(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return bright touching balls on a dark, noisy ground."""
    radius = 18 if len(shape) == 2 else 9
    image = rng.normal(0.1, 0.02, shape)
    for centre in rng.uniform(
        radius, np.array(shape) - radius, (max(4, int(np.prod(shape) / (6 * radius) ** len(shape)) * 20), len(shape))
    ):
        box = tuple(slice(int(c) - radius, int(c) + radius + 1) for c in centre)
        grid = np.indices([2 * radius + 1] * len(shape)) - radius
        image[box] += 0.7 * ((grid**2).sum(axis=0) < radius**2)
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    return ((image.clip(0, 0.8) * full).astype(dtype),)


def _slic(image: Any) -> Any:
    from skimage.segmentation import slic

    return slic(image, 400, 0.1, channel_axis=None)


def _kmeans(image: Any) -> Any:
    from sklearn.cluster import KMeans

    sample = np.random.default_rng(0).choice(image.ravel(), 1000).reshape(-1, 1).astype(np.float32)
    model = KMeans(3, n_init=3, random_state=0).fit(sample)
    return model.predict(image.reshape(-1, 1).astype(np.float32)).reshape(image.shape) + 1


def _split(image: Any) -> Any:
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.measure import regionprops_table
    from skimage.segmentation import watershed

    foreground = ndimage.binary_fill_holes(image > threshold_otsu(image))
    distance = ndimage.distance_transform_edt(foreground)
    markers = np.zeros(image.shape, np.int32)
    peaks = peak_local_max(distance, min_distance=10, exclude_border=False)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, markers, mask=foreground)
    regionprops_table(labels, properties=("label", "area", "centroid"))
    return labels


CASES: list[Case] = [
    Case("slic_superpixels", {"n_segments": 400, "compactness": 0.1}, peer=_slic, make=discs),
    Case("kmeans_segmentation", {"n_clusters": 3}, peer=_kmeans, make=discs),
    Case("split_touching_objects", {}, peer=_split, make=discs),
]
