"""Graph cut between painted voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Channels, Range, Spacing, VisibleIf, Whole, technique
from napari_lightbox.contract.roles import Image, Labels, Mask, Seeds, Value
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.boundary_weights import Term, boundary_graph
from napari_lightbox.kernels.flood import out_of_reach
from napari_lightbox.kernels.mask_box import box_of
from napari_lightbox.kernels.multiway_cut import part
from napari_lightbox.techniques.segment_interactive._seeds import PaintedSeeds, read_seeds

_BoundaryTerm = Literal[
    "difference_power", "difference_linear", "difference_exponential", "difference_division",
    "maximum_power", "maximum_linear", "maximum_exponential", "maximum_division",
]  # fmt: skip
_MAXIMUM = ("maximum_power", "maximum_linear", "maximum_exponential", "maximum_division")
_WITH_SIGMA = tuple(
    f"{contrast}_{term}" for contrast in ("difference", "maximum") for term in ("power", "exponential", "division")
)


class GraphCut(NamedTuple):
    """The id of every pixel, and what the arcs that were cut hold."""

    labels: Annotated[Labels, Channels("drop")]
    flow: Value


@technique(
    "graph_cut_voxel",
    title="Graph cut (voxel lattice, boundary terms)",
    locality=Whole(),
    channels="rgb",
    synonyms=("max-flow", "min-cut", "Boykov-Jolly", "graphcut", "s-t cut"),
    memory=16.0,
)
def graph_cut_voxel(
    image: Image,
    seeds: Seeds,
    mask: Mask | None = None,
    *,
    boundary_term: _BoundaryTerm = "difference_power",
    sigma: Annotated[float, Range(1e-12, 1e12, 0.5), VisibleIf("boundary_term", *_WITH_SIGMA)] = 10.0,
    gradient: Annotated[bool, VisibleIf("boundary_term", *_MAXIMUM)] = True,
    object_id: Annotated[int | None, Range(1), Advanced()] = None,
    background_id: Annotated[int | None, Range(1), Advanced()] = None,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> GraphCut:
    """Separate painted regions by the surface that cuts the weakest links between voxels.

    Neighbouring voxels hold together the more firmly the more alike they are; of all surfaces that part the seeds of one id
    from all others, the one with the smallest sum of links is found, not merely a good one. It closes gaps in an edge by the
    shortest way across, where the watershed and region growing leak. Because every link costs something, small seeds in
    a weakly bounded object shrink to themselves: paint more, or raise sigma.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, gray or colour.
    seeds
        Labels: ids above 0 are seeds, two of them at least, and come out as they are; 0 is unknown; pixels below 0 take
        no part. The background is one of the ids.
    mask
        Where to segment; everything else is 0 and costs no memory beyond the box around the mask.
    boundary_term
        The contrast c of two neighbours, either the difference of their grey values or the larger of the two slopes, and how
        their link weakens with it. power: (1 / (1 + c))^sigma; linear: 1 - c / greatest c; exponential: exp(-(c / sigma)^2);
        division: 1 / (1 + c / sigma).
    sigma
        power: the exponent; 10 finds edges in noise, 1 is a control that shrinks. exponential and division: the contrast,
        in grey values, at which a link has become weak.
    gradient
        Take the gradient magnitude of the image first; turn it off when the image is an edge map already.
    object_id, background_id
        Segment this one object: the result is 1 for it and 0 for everything else. With a background id only these two
        count and other ids are unknown; without, all other ids are background.

    Returns
    -------
    labels
        The id of every pixel; 0 outside the mask, on excluded or non-finite pixels, and in parts that these cut off from
        all seeds.
    flow
        Sum of the links between different labels; with two ids it equals the maximum flow.

    Raises
    ------
    InputError
        Fewer than two different ids, or none of the object or the background asked for.
    ParameterError
        The same id for object and background.

    Notes
    -----
    Voxels are linked through faces, each link divided by the spacing along it, in double precision: cut values may be as
    small as 1e-15. With two ids the cut is the global minimum; of several minima the smaller id (the object asked for) gets the
    fewest pixels. With more ids each one is isolated from all others in turn; these regions never overlap, and what is left
    between them goes to the id that is hardest to isolate (the largest one among equals). The sum of links is then at most
    2 - 2/n times the smallest there is for n ids. Needs about 120 bytes per voxel (80 in 2D); for large volumes cut inside
    a mask around the object.

    References
    ----------
    Y. Boykov, M.-P. Jolly, "Interactive graph cuts for optimal boundary & region segmentation of objects in N-D images",
    ICCV 2001, doi:10.1109/ICCV.2001.937505. Y. Boykov, V. Kolmogorov, "An experimental comparison of min-cut/max-flow
    algorithms", IEEE TPAMI 26 (2004), doi:10.1109/TPAMI.2004.60. E. Dahlhaus et al., "The complexity of multiterminal cuts",
    SIAM Journal on Computing 23 (1994), doi:10.1137/S0097539792225297. Terms as in medpy ``graphcut.energy_voxel``.
    """
    markers, excluded, ids = _classes(seeds, mask, object_id, background_id)
    idle = out_of_reach(image, markers.shape, np.flatnonzero(markers), excluded)
    box = box_of(~idle)
    contrast, term = boundary_term.split("_")
    graph = boundary_graph(
        image[box], idle[box], maximum=contrast == "maximum", gradient=gradient, term=_term(term), sigma=sigma,
        spacing=spacing[-markers.ndim :],
    )  # fmt: skip
    labels = np.zeros(markers.shape, markers.dtype)
    found = part(graph, markers[box], ids)
    labels[box] = np.where(idle[box], 0, found)
    flow = graph.between(labels[box])
    return GraphCut((labels == ids[0]).astype(labels.dtype) if object_id is not None else labels, flow)


def _term(name: str) -> Term:
    terms: dict[str, Term] = {"linear": "linear", "exponential": "exponential", "division": "division", "power": "power"}
    return terms[name]


def _classes(
    seeds: NDArray[Any], mask: NDArray[np.bool_] | None, object_id: int | None, background_id: int | None
) -> tuple[NDArray[Any], NDArray[np.bool_] | None, Sequence[int]]:
    """Return the seeds that count, what takes no part, and the ids: object first when one is asked for."""
    if object_id is None:
        if background_id is not None:
            raise ParameterError("background_id", "is given without an object_id", "Give both, or neither to keep all ids")
        painted = read_seeds(seeds, mask, least=2)
        return painted.markers, painted.excluded, sorted(painted.places)
    if object_id == background_id:
        raise ParameterError("background_id", f"is {background_id}, as is object_id", "Give the background an id of its own")
    painted = read_seeds(seeds, mask, least=1)
    chosen = np.zeros(seeds.shape, painted.markers.dtype)
    chosen.ravel()[_places(painted, [object_id], "object")] = 1
    others = [i for i in painted.places if i != object_id] if background_id is None else [background_id]
    chosen.ravel()[_places(painted, others, "background")] = 2
    return chosen, painted.excluded, (1, 2)


def _places(painted: PaintedSeeds, ids: Sequence[int], what: str) -> NDArray[np.int64]:
    places = [painted.places[i] for i in ids if i in painted.places]
    if not places:
        known = ", ".join(map(str, painted.places))
        raise InputError("seeds", f"hold no {what} (painted ids: {known})", f"Paint some pixels of the {what}")
    return np.concatenate(places)
