"""CT tissue threshold."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated

import numpy as np

from napari_lightbox.contract import Advanced, Pointwise, Unit, technique
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.comparison import Band, label_bands
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up


@technique(
    "threshold_hounsfield",
    title="CT tissue threshold (Hounsfield)",
    locality=Pointwise(),
    synonyms=("CT window", "bone", "lung", "fat", "tissue bands"),
)
def threshold_hounsfield(
    image: Image,
    *,
    air: Annotated[float | None, Unit("HU")] = -900.0,
    lung: Annotated[tuple[float, ...] | None, Unit("HU")] = (-900.0, -500.0),
    fat: Annotated[tuple[float, ...] | None, Unit("HU")] = (-150.0, -30.0),
    soft: Annotated[tuple[float, ...] | None, Unit("HU")] = (-30.0, 100.0),
    bone: Annotated[float | None, Unit("HU")] = 300.0,
    level: Annotated[float | None, Unit("HU")] = None,
    slope: Annotated[float, Advanced()] = 1.0,
    intercept: Annotated[float, Advanced()] = 0.0,
) -> Labels:
    """Label air, lung, fat, soft tissue and bone of a CT by their Hounsfield units.

    Hounsfield units are calibrated (air -1000, water 0), so fixed bands separate tissues without looking at the histogram.
    Use it as a first mask to measure, mesh or correct; neighbours in density, such as contrast-filled vessels and
    spongy bone, need more than a threshold.

    Parameters
    ----------
    image
        CT in Hounsfield units, or stored values with slope and intercept.
    air
        Label 1 below this value; empty leaves air out.
    lung
        Label 2 from the first to the second value; empty leaves lung out.
    fat
        Label 3 from the first to the second value; empty leaves fat out.
    soft
        Label 4, soft tissue, from the first to the second value; empty leaves it out.
    bone
        Label 5 above this value; empty leaves bone out.
    level
        One level in place of the bands: label 1 above it. -300 finds the surface of the body, 1150 the skull of a head scan.
    slope, intercept
        Applied first: HU = slope * value + intercept. Leave 1 and 0 when the reader has already done so.

    Returns
    -------
    labels
        Label per tissue, 0 in none of them.

    Raises
    ------
    ParameterError
        A band that is not two values in ascending order.

    Notes
    -----
    Bands include both ends; a value in two bands belongs to the one with the lower label, so -30 HU is fat.
    Air and bone are open: -900 HU is lung and 300 HU is in no band. NaN has label 0.

    References
    ----------
    Hounsfield (1980), Science 210: 22-28, doi:10.1126/science.6997993.
    """
    bands = _bands(air, {"lung": lung, "fat": fat, "soft": soft}, bone) if level is None else [(_next(level, inf), inf, 1)]
    if has_few_levels(image.dtype):
        return look_up(image, label_bands(all_levels(image.dtype) * slope + intercept, bands))
    if (slope, intercept) == (1.0, 0.0):
        return label_bands(image, bands)
    return label_bands(image * np.float64(slope) + intercept, bands)


def _next(value: float, towards: float) -> float:
    return float(np.nextafter(value, towards))


def _bands(air: float | None, closed: Mapping[str, tuple[float, ...] | None], bone: float | None) -> list[Band]:
    bands: list[Band] = [] if air is None else [(-inf, _next(air, -inf), 1)]
    for label, (name, band) in enumerate(closed.items(), start=2):
        if band is None:
            continue
        if len(band) != 2 or band[0] > band[1]:
            raise ParameterError(name, f"{band} is not a lower and an upper value", "Give two values such as (-150, -30)")
        bands.append((band[0], band[1], label))
    return bands if bone is None else [*bands, (_next(bone, inf), inf, 5)]
