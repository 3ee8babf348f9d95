"""Part a pixel grid among two or more seeds by minimum cuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.max_flow import GridGraph


def part(graph: GridGraph, markers: NDArray[Any], ids: Sequence[int]) -> NDArray[Any]:
    """Return the markers grown over all pixels.

    Two ids are parted by the minimum cut; the first gets the fewest pixels. Of more, each is isolated from all others in turn;
    these regions never overlap, and the rest goes to the id that is hardest to isolate, the last one among equals. What is cut
    is then at most 2 - 2/n times the smallest there is (Dahlhaus et al.).

    Parameters
    ----------
    graph
        What touching pixels hold together with.
    markers
        The id of some pixels, 0 elsewhere.
    ids
        All ids in `markers`, in the order in which they are isolated.
    """
    if len(ids) == 2:
        cut = graph.cut(markers == ids[0], markers == ids[1])
        return np.asarray(np.where(cut.source_side, markers.dtype.type(ids[0]), markers.dtype.type(ids[1])))
    regions = markers.copy()
    hardest, most = ids[0], -np.inf
    for label in ids:
        # regions found before are final and never overlap with this one: as terminals they spare the search
        cut = graph.cut(markers == label, (regions > 0) & (regions != label))
        regions[cut.source_side] = label
        if cut.flow >= most:
            hardest, most = label, cut.flow
    regions[regions == 0] = hardest
    return regions
