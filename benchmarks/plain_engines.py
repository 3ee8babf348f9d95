"""The plain library calls that an interactive engine is compared with: image and seeds in, labels out."""

from __future__ import annotations

from typing import Any

import numpy as np

TOLERANCE = 30.0
# capacities that scipy can hold: whole numbers
WHOLE_CUT = {"boundary_term": "difference_exponential", "sigma": 60.0}
# as many trees on both sides
CLASSIFIER = {"trees": 100, "depth": 16}
_ONE = 1_000_000


def itk_watershed(image: Any, seeds: Any) -> Any:
    """Gradient magnitude and watershed from markers."""
    import SimpleITK as sitk

    gradient = sitk.GradientMagnitude(sitk.GetImageFromArray(image))
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(gradient, sitk.GetImageFromArray(seeds), False, False))


def skimage_watershed(image: Any, seeds: Any) -> Any:
    """Gradient magnitude and watershed from markers."""
    from skimage.segmentation import watershed

    derivatives = np.gradient(image.astype(np.float32))
    return watershed(np.sqrt(sum(d * d for d in derivatives)), seeds)


def skimage_walker(image: Any, seeds: Any) -> Any:
    """Random walker on the same scale; the fastest of its solvers for the number of axes."""
    from skimage.segmentation import random_walker

    unit = (image.astype(np.float64) - image.min()) / float(np.ptp(image))
    return random_walker(unit, seeds, beta=2000, mode="bf" if image.ndim == 2 else "cg_j", tol=1e-3)


def _intervals(image: Any, seeds: Any) -> list[tuple[int, Any, float, float]]:
    found = []
    for label in np.unique(seeds[seeds > 0]).tolist():
        own = image[seeds == label]
        found.append((label, np.argwhere(seeds == label), float(own.min()) - TOLERANCE, float(own.max()) + TOLERANCE))
    return found


def itk_growing(image: Any, seeds: Any) -> Any:
    """One connected threshold per id, the nearer mean where both reach."""
    import SimpleITK as sitk

    wrapped = sitk.GetImageFromArray(image)
    grown = [
        sitk.GetArrayFromImage(sitk.ConnectedThreshold(wrapped, [p[::-1].tolist() for p in places], low, high)) > 0
        for _, places, low, high in _intervals(image, seeds)
    ]
    return _nearest(image, seeds, grown)


def skimage_growing(image: Any, seeds: Any) -> Any:
    """One flood of the accepted grey values per id."""
    from skimage.measure import label

    grown = []
    for _, places, low, high in _intervals(image, seeds):
        pieces = label((image >= low) & (image <= high), connectivity=1)
        grown.append(np.isin(pieces, np.unique(pieces[tuple(places.T)])))
    return _nearest(image, seeds, grown)


def _nearest(image: Any, seeds: Any, grown: list[Any]) -> Any:
    means = [image[seeds == label].mean() for label in (1, 2)]
    first = np.abs(image - means[0]) <= np.abs(image - means[1])
    labels = np.where(grown[0] & (~grown[1] | first), 1, np.where(grown[1], 2, 0))
    return np.where(seeds > 0, seeds, labels)


def opencv_grabcut(image: Any, seeds: Any) -> Any:
    """GrabCut with unknown pixels as probable background; a stack from the middle outwards, each plane from the one before."""
    import cv2

    low, high = np.percentile(image, (0.1, 99.9))
    gray = np.clip((image - low) * (255 / (high - low)), 0, 255).round().astype(np.uint8)
    planes, codes = gray.reshape(-1, *gray.shape[-2:]), np.array([2, 1, 0], np.uint8)[seeds].reshape(-1, *gray.shape[-2:])

    def cut(z: int) -> None:
        if (codes[z] & 1).any():
            cv2.setRNGSeed(0)
            models = np.zeros((2, 1, 65))
            colour = np.ascontiguousarray(np.broadcast_to(planes[z][..., np.newaxis], (*planes[z].shape, 3)))
            cv2.grabCut(colour, codes[z], (0, 0, 1, 1), models[0], models[1], 5, cv2.GC_INIT_WITH_MASK)

    middle = int(np.argwhere(codes == 1)[0, 0])
    cut(middle)
    for way in (range(middle + 1, len(codes)), range(middle - 1, -1, -1)):
        before = middle
        for z in way:
            codes[z] = np.where(codes[before] & 1, 3, 2)
            cut(z)
            before = z
    return np.where(codes & 1, 1, 2).reshape(seeds.shape)


def scipy_cut(image: Any, seeds: Any) -> Any:
    """Build the graph of `WHOLE_CUT` in whole numbers, find its maximum flow and what the source still reaches."""
    from scipy import sparse
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = image.size
    index = np.arange(count, dtype=np.int32).reshape(image.shape)
    rows, columns, values = [], [], []
    for axis in range(image.ndim):
        first, second = (
            np.take(index, part, axis).ravel() for part in (range(image.shape[axis] - 1), range(1, image.shape[axis]))
        )
        contrast = image.ravel()[first].astype(np.float64) - image.ravel()[second]
        weight = np.maximum(np.rint(_ONE * np.exp(-((contrast / WHOLE_CUT["sigma"]) ** 2))), 1).astype(np.int32)
        rows += [first, second]
        columns += [second, first]
        values += [weight, weight]
    for label, node in ((1, count), (2, count + 1)):
        places = np.flatnonzero(seeds == label).astype(np.int32)
        ends = [np.full(places.size, node, np.int32), places]
        rows.append(ends[label - 1])
        columns.append(ends[2 - label])
        values.append(np.full(places.size, 2**30, np.int32))
    matrix = sparse.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count + 2, count + 2))
    left = matrix - maximum_flow(matrix, count, count + 1).flow
    left.eliminate_zeros()
    labels = np.full(count + 2, 2)
    labels[breadth_first_order(left, count, return_predecessors=False)] = 1
    return labels[:count].reshape(image.shape)


def skimage_classifier(image: Any, seeds: Any) -> Any:
    """Random forest over scikit-image's features at the same scales, with the same number and depth of trees."""
    from skimage.feature import multiscale_basic_features
    from skimage.future import fit_segmenter, predict_segmenter
    from sklearn.ensemble import RandomForestClassifier

    features = multiscale_basic_features(image, sigma_min=1, sigma_max=8, num_sigma=4)
    forest = RandomForestClassifier(n_estimators=CLASSIFIER["trees"], max_depth=CLASSIFIER["depth"], random_state=0, n_jobs=-1)
    return predict_segmenter(features, fit_segmenter(seeds, features, forest))
