"""Random walker segmentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Channels, Dtype, ExtraAxis, OnlyIf, Range, Spacing, Unit, Whole, technique
from napari_lightbox.contract.roles import Image, Labels, Mask, Seeds
from napari_lightbox.kernels import random_walker as walker
from napari_lightbox.techniques.segment_interactive._seeds import read_seeds


class RandomWalk(NamedTuple):
    """The most probable id of every pixel, and the probability of each id."""

    labels: Annotated[Labels, Channels("drop")]
    probabilities: Annotated[Image | None, OnlyIf("full_prob"), ExtraAxis("l", None), Dtype("float32"), Channels("drop")]


# floats are taken to lie in 0 ... 1, give or take noise, until they clearly do not
_UNIT_SPAN = 10.0


@technique(
    "random_walker",
    title="Random walker segmentation",
    locality=Whole(),
    channels="rgb",
    synonyms=("Grady", "diffusion segmentation", "probabilistic segmentation"),
)
def random_walker(
    image: Image,
    seeds: Seeds,
    mask: Mask | None = None,
    *,
    beta: Annotated[float, Range(0, 1e6)] = 130.0,
    full_prob: bool = False,
    intensity_range: Annotated[float | None, Range(1e-12), Unit("intensity"), Advanced()] = None,
    mode: Annotated[Literal["cg_mg", "cg_j", "cg", "bf"], Advanced()] = "cg_mg",
    tol: Annotated[float, Range(1e-12, 0.1), Advanced()] = 1e-3,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> RandomWalk:
    """Give every pixel the id whose seeds a random walk from it meets first.

    The walk crosses strong edges with difficulty, so that regions end there; where an edge has a gap or drowns in
    noise, the walk still decides by distance and by all paths at once. Use it for noisy images and weak or broken edges,
    where thresholds and the watershed fail; it is slower than both.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, gray or colour.
    seeds
        Labels: ids above 0 are seeds, two of them at least, and come out as they are; 0 is unknown; pixels below 0 take
        no part.
    mask
        Where to segment; no walk leaves it.
    beta
        How hard it is to cross an edge. 130 for clean images, 10 for noisy ones; 0 decides by distance alone.
    full_prob
        Also return the probability of every id at every pixel.
    intensity_range
        Difference of grey values that counts as one. None is 255 for 8-bit images, 1 for floats that span no more than 10, and
        the span between the smallest and largest value of all others; give the range of interest when outliers stretch it,
        such as 400 HU.
    mode
        Solver. cg_mg: conjugate gradients with a multigrid cycle, fastest on all but tiny images. cg_j: with the
        diagonal, least memory. cg: plain. bf: sparse factorisation, exact, for planes up to about 512 x 512.
    tol
        Residual, relative to the right-hand side, at which the solver stops.

    Returns
    -------
    labels
        Most probable id, the smallest one among equals. 0 where no walk arrives: outside the mask, on excluded or
        non-finite pixels, and in parts that these cut off from all seeds.
    probabilities
        One image per id, in ascending order of the ids; they add up to 1 wherever a label is.

    Raises
    ------
    InputError
        Fewer than two different ids.

    Notes
    -----
    The weight between neighbours is exp(-beta d^2 / (10 s)) + 1e-10, with d the difference of their grey values per
    length and s the standard deviation of the image; in colour images d^2 is summed over the channels and s multiplied by
    the square root of their number. d is divided by the spacing along each axis relative to the finest one, so that
    results do not depend on the unit of length. A constant image decides by distance. Needs about 150 bytes per pixel and
    8 more per id; for large volumes walk in a box around the object.

    References
    ----------
    L. Grady, "Random walks for image segmentation", IEEE TPAMI 28 (2006), doi:10.1109/TPAMI.2006.233. The system is that
    of skimage ``random_walker``; mode bf gives the same labels.
    """
    painted = read_seeds(seeds, mask, least=2)
    lengths = spacing[-seeds.ndim :]
    found = walker.random_walker(
        image,
        painted.markers,
        painted.places,
        painted.excluded,
        beta=beta,
        intensity_range=intensity_range or _usual_range(image),
        mode=mode,
        tolerance=tol,
        spacing=[s / min(lengths) for s in lengths],
        with_chances=full_prob,
    )
    return RandomWalk(found.labels, found.chances)


def _usual_range(image: NDArray[Any]) -> float:
    """Return what counts as a full step in images of this type."""
    if image.dtype.kind not in "iuf":
        return 1.0
    if image.dtype.itemsize == 1:
        return 255.0
    # 12-bit cameras and CT fill a small part of their type: its limits say nothing about contrast
    known = image[np.isfinite(image)] if image.dtype.kind == "f" else image
    span = float(known.max()) - float(known.min()) if known.size else 1.0
    return 1.0 if image.dtype.kind == "f" and span <= _UNIT_SPAN else max(span, 1.0)
