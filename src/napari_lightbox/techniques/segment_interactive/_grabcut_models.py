"""The colours of an object and of its background as mixtures of Gaussians: fitted, compared, as a table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import Table
from napari_lightbox.errors import InputError

COMPONENTS = 5
_FEWEST = 15  # pixels of a stroke per Gaussian

Bytes = NDArray[np.uint8]


class Mixtures(NamedTuple):
    """The colours of background and object as OpenCV keeps them: weights, means and covariances of five Gaussians, flat."""

    background: NDArray[np.float64]
    object: NDArray[np.float64]


def fitted(background: Bytes, foreground: Bytes, seed: int) -> Mixtures | None:
    """Return mixtures of the colours (n, 3) of background and object strokes; None without either."""
    if not len(background) or not len(foreground):
        return None
    return Mixtures(_fit(background, seed), _fit(foreground, seed))


def _fit(colours: Bytes, seed: int) -> NDArray[np.float64]:
    """Return a mixture of so many Gaussians as the colours are enough for: few would fit their noise."""
    import cv2

    number = max(1, min(COMPONENTS, len(colours) // _FEWEST))
    parts = np.zeros((len(colours), 1), np.int32)
    if number > 1:
        stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
        cv2.setRNGSeed(seed)
        cv2.kmeans(colours.astype(np.float32), number, parts, stop, 1, cv2.KMEANS_PP_CENTERS)
    weights, means, covariances = np.zeros(COMPONENTS), np.zeros((COMPONENTS, 3)), np.zeros((COMPONENTS, 3, 3))
    for i in range(number):
        own = colours[parts[:, 0] == i].astype(np.float64)
        if len(own):
            weights[i], means[i] = len(own) / len(colours), own.mean(axis=0)
            # one grey level wider: strokes on an even colour have no spread at all
            covariances[i] = (own - means[i]).T @ (own - means[i]) / len(own) + np.eye(3)
    return np.concatenate([weights, means.ravel(), covariances.ravel()])


def likelihood(mixture: NDArray[np.float64], colours: NDArray[Any]) -> NDArray[np.float32]:
    """Return the density of a mixture at each colour, up to a factor that all mixtures share."""
    weights, means, covariances = _parts(mixture)
    total = np.zeros(len(colours), np.float32)
    for weight, mean, covariance in zip(weights, means.reshape(-1, 3), covariances.reshape(-1, 3, 3), strict=True):
        if weight > 0:
            whitened = np.linalg.inv(np.linalg.cholesky(covariance)).T.astype(np.float32)
            away = (colours - mean.astype(np.float32)) @ whitened
            total += np.float32(weight / np.sqrt(np.linalg.det(covariance))) * np.exp(-0.5 * (away * away).sum(axis=1))
    return total


def as_table(mixtures: Mixtures) -> Table:
    """Return one row per Gaussian: 1 for the object and 0 for the background, weight, mean, covariance."""
    rows = np.concatenate([np.column_stack([p.reshape(COMPONENTS, -1) for p in _parts(m)]) for m in mixtures])
    return Table({"is_object": np.repeat([0, 1], COMPONENTS), **dict(zip(_COLUMNS, rows.T, strict=True))})


def _parts(mixture: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    return mixture[:COMPONENTS], mixture[COMPONENTS : 4 * COMPONENTS], mixture[4 * COMPONENTS :]


def from_table(table: Table) -> Mixtures:
    """Return the mixtures behind `as_table`.

    Raises
    ------
    InputError
        Another table.
    """
    way_out = "Give the table of models that GrabCut returned"
    for name in ("is_object", *_COLUMNS):
        if name not in table.columns:
            raise InputError("models", f"have no column {name!r}", way_out)
    sides = []
    for number in (0, 1):
        values = np.column_stack([np.asarray(table[name], np.float64)[table["is_object"] == number] for name in _COLUMNS])
        if len(values) != COMPONENTS or not np.isfinite(values).all():
            raise InputError("models", f"are not {COMPONENTS} Gaussians of finite numbers for each side", way_out)
        sides.append(np.concatenate([values[:, :1].ravel(), values[:, 1:4].ravel(), values[:, 4:].ravel()]))
    return Mixtures(*sides)


_COLUMNS = ("weight", *[f"mean_{i}" for i in "123"], *[f"covariance_{i}{j}" for i in "123" for j in "123"])
