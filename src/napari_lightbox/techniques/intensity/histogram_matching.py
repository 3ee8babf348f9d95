"""Histogram matching."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Block, GlobalThenPointwise, Pass, Range, Statistic, VisibleIf, Where, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Mask, Reference, ReferenceMask
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.histogram import LEVELS, histogram_passes, whole_histogram
from napari_lightbox.kernels.histogram_transfer import cumulative_curve, quantile_curve
from napari_lightbox.kernels.lab import from_lab, to_lab
from napari_lightbox.kernels.tone_curve import apply_curve, apply_knots

Planes = list[NDArray[Any]]
_PASSES = histogram_passes(LEVELS)


def _has_colour(image: NDArray[Any], where: Block | None) -> bool:
    return where is not None and image.ndim > len(where.whole)


def _planes(image: NDArray[Any], colour: bool, space: str) -> Planes:
    """Return the arrays that have a histogram each: the image, its channels, or L, a and b."""
    if not colour:
        return [image]
    return list(np.moveaxis(to_lab(image) if space == "lab" else image, -1, 0))


def _count(stage: Pass, image: Any, mask: Any, previous: Any, parameters: Parameters, where: Block) -> tuple[Any, ...]:
    planes = _planes(image, _has_colour(image, where), parameters["colour_space"])
    inside = None if mask is None else mask[..., 0] if mask.ndim > planes[0].ndim else mask
    earlier = previous or (None,) * len(planes)
    return tuple(stage.block(p, inside, before, parameters) for p, before in zip(planes, earlier, strict=True))


def _merge(stage: Pass, a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(stage.combine(x, y) for x, y in zip(a, b, strict=True))


@technique(
    "histogram_matching",
    title="Histogram matching",
    locality=GlobalThenPointwise(tuple(Pass(partial(_count, s), partial(_merge, s), positioned=True) for s in _PASSES)),
    channels="rgb",
    synonyms=("histogram specification", "match histograms", "intensity normalisation"),
)
def histogram_matching(
    image: Image,
    template: Reference,
    mask: Mask | None = None,
    template_mask: ReferenceMask | None = None,
    *,
    statistic: Statistic,
    method: Literal["cumulative", "quantiles"] = "cumulative",
    colour_space: Annotated[Literal["channels", "lab"], Advanced()] = "channels",
    levels: Annotated[int, Range(2, 65536), VisibleIf("method", "quantiles")] = 1024,
    points: Annotated[int, Range(1, 1000), VisibleIf("method", "quantiles")] = 7,
    threshold_at_mean: Annotated[bool, VisibleIf("method", "quantiles")] = True,
    scope: Annotated[Literal["element", "layer", "plane"], Advanced()] = "element",
    where: Where | None = None,
) -> Image:
    """Give an image the intensities of a template.

    Each intensity becomes the one that is as far up in the template's distribution. Use it to make scans of different sessions or
    scanners comparable, or before a registration that compares intensities.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, gray or with channels.
    template
        Image whose distribution is wanted, of any size, with the same channels or gray.
    mask
        Pixels of the image whose histogram counts; the whole image is mapped.
    template_mask
        Pixels of the template that count.
    method
        cumulative follows the whole cumulative histogram. quantiles draws straight lines between a few quantiles as ITK does,
        which keeps the shape of the histogram between them and suits MRI.
    colour_space
        channels matches each channel by itself; lab matches lightness and both colour axes of CIELAB, which shifts hues less.
        Needs red, green and blue, with floats in 0 to 1.
    levels
        Bins of the histograms whose quantiles are taken.
    points
        Quantiles between the start and the maximum.
    threshold_at_mean
        Start the quantiles at the mean, so that dark background does not count, in place of the minimum.
    scope
        What shares one histogram: each volume or frame (element), all of a layer (layer), or each plane (plane).

    Returns
    -------
    image
        Same type as the image; integers are rounded and clipped to their range.

    Raises
    ------
    InputError
        Channels that do not fit, or no finite pixel to take a histogram from.

    Notes
    -----
    Integers that span at most 65536 levels are counted exactly and equal scikit-image's and ITK's result before rounding;
    others are counted in 65536 bins, so the result is exact to about one bin of either image. NaN and infinities are not counted;
    NaN stays NaN. Equal intensities stay equal, so images with few levels match in steps.

    References
    ----------
    scikit-image ``match_histograms``; Nyul, Udupa and Zhang (2000), IEEE Trans. Med. Imaging 19(2): 143-150,
    doi:10.1109/42.836373; SimpleITK ``HistogramMatching``.
    """
    colour = _has_colour(image, where)
    planes = _planes(image, colour, colour_space)
    wanted = _template_planes(template, len(planes) if colour else 0, colour_space)
    inside = template_mask[..., 0] if template_mask is not None and template_mask.ndim > wanted[0].ndim else template_mask
    results = []
    for plane, target, source in zip(planes, wanted, statistic, strict=True):
        reference = whole_histogram(target, LEVELS, inside)
        for name, histogram in (("image", source), ("template", reference)):
            if histogram.total == 0:
                raise InputError(name, "has no finite pixel to take a histogram from", "Check its mask and its values")
        if method == "cumulative":
            results.append(apply_curve(plane, *cumulative_curve(source, reference), plane.dtype))
        else:
            results.append(apply_knots(plane, *quantile_curve(source, reference, levels, points, threshold_at_mean), plane.dtype))
    if not colour:
        return results[0]
    matched = np.stack(results, axis=-1)
    return from_lab(matched, image) if colour_space == "lab" else matched


def _template_planes(template: NDArray[Any], channels: int, space: str) -> Planes:
    if channels and template.ndim > 2 and template.shape[-1] == (channels if space == "channels" else 3):
        return _planes(template, True, space)
    if space == "lab" and channels:
        raise InputError("template", "has no red, green and blue", 'Give a colour picture, or choose colour_space="channels"')
    if not channels and template.ndim > 2 and template.shape[-1] in (3, 4):
        raise InputError(
            "template", f"has shape {template.shape}, which looks like colour, and the image is gray", "Give a gray template"
        )
    return [template] * max(channels, 1)
