"""GrabCut from a rectangle, scribbles or a four-class mask."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Channels, OnlyIf, Range, Unit, VisibleIf, Where, Whole, technique
from napari_lightbox.contract.roles import Image, Labels, Mask, Seeds, Shapes, Table
from napari_lightbox.contract.where import Block
from napari_lightbox.kernels.boundary_weights import boundary_graph
from napari_lightbox.kernels.distance import distance_to_background
from napari_lightbox.kernels.flood import out_of_reach
from napari_lightbox.kernels.mask_box import box_of
from napari_lightbox.kernels.multiway_cut import part
from napari_lightbox.techniques.segment_interactive import _grabcut as cut
from napari_lightbox.techniques.segment_interactive._grabcut_inputs import Given, Task, as_bytes, read_task
from napari_lightbox.techniques.segment_interactive._grabcut_models import Mixtures, as_table, fitted, from_table

_SIGMA = 10.0  # the default of graph_cut_voxel


class GrabCut(NamedTuple):
    """The id of every pixel, its class (1 to 4), the image with the background blanked, and the colour models."""

    labels: Annotated[Labels, Channels("drop")]
    classes: Annotated[Labels | None, OnlyIf("four_classes"), Channels("drop")]
    cutout: Annotated[Image | None, OnlyIf("cut_out")]
    models: Annotated[Table | None, OnlyIf("return_models")]


@technique(
    "grabcut",
    title="GrabCut (rectangle, scribble refinement)",
    locality=Whole(),
    channels="rgb",
    synonyms=("iterated graph cut", "foreground extraction", "magnetic cut-out", "colour mixture segmentation"),
    memory=8.0,
)
def grabcut(
    image: Image,
    seeds: Seeds | None = None,
    shapes: Shapes | None = None,
    models: Table | None = None,
    mask: Mask | None = None,
    *,
    seeds_are: Literal["strokes", "boxes", "classes"] = "strokes",
    iterations: Annotated[int, Range(1, 100)] = 5,
    connected: Annotated[bool, VisibleIf("seeds_are", "strokes")] = True,
    background_id: Annotated[int | None, Range(1), VisibleIf("seeds_are", "strokes")] = None,
    four_classes: bool = False,
    cut_out: bool = False,
    return_models: Annotated[bool, Advanced()] = False,
    lower: Annotated[float | None, Unit("intensity"), Advanced()] = None,
    upper: Annotated[float | None, Unit("intensity"), Advanced()] = None,
    reach: Annotated[int | None, Range(0, 10_000), Unit("px"), Advanced()] = 5,
    seed: Annotated[int, Range(0, 2**31 - 1), Advanced()] = 0,
    where: Where | None = None,
) -> GrabCut:
    """Separate an object from its surroundings by their colours, from a rectangle around it or a few strokes.

    Five Gaussians describe the colours of the object, five those of everything else; fitting them and cutting the image where
    colours change take turns. Best for colour pictures and for objects whose grey values differ from what is around
    them; of equally coloured things it takes all, so draw a rectangle or paint the others as background. Strokes
    that correct the result are added to the seeds and the whole is run again.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, gray or colour.
    seeds
        Labels: ids above 0 are seeds and come out as they are, 0 is unknown, pixels below 0 take no part. What
        they mean is up to the parameter seeds_are.
    shapes
        Rectangles around the object; of other shapes the bounding box counts. Everything outside of all of them is
        background. One drawn on a plane of a stack counts on this plane, one without a z on all planes.
    models
        Table of colour models from an earlier run, to go on with instead of fitting new ones.
    mask
        Where to segment; everything else is 0, and its colours count as background.
    seeds_are
        What the seeds mean. strokes: one id per object and one for the background. boxes: the bounding box of each id is
        the rectangle around its object. classes: 1 sure background, 2 sure object, 3 probably background, 4 probably
        object; the object comes out as 1.
    iterations
        Rounds of fitting and cutting.
    connected
        Keep of what strokes find only what connects to a stroke of the object, on this plane or through the planes before.
        Turn it off to find all things of the colours of one.
    background_id
        The id that was painted on the background. None means the largest of several ids.
    four_classes
        Also return the classes as they are painted.
    cut_out
        Also return the image with everything but the objects set to 0.
    return_models
        Also return the colour models.
    lower, upper
        Grey values that become 0 and 255 for the colour models. None: nothing is changed in 8-bit images, in others it is the
        percentile 0.1 and 99.9.
    reach
        How far, in pixels, an object may extend beyond itself from one plane of a stack to the next; None for any distance.
    seed
        Seed of the first guess of the colour models.

    Returns
    -------
    labels
        The id of every pixel. Pixels of no object get the background's id where one was painted, else 0; so do all outside
        the rectangles. 0 outside the mask and on excluded or non-finite pixels.
    classes
        1 sure background, 2 sure object, 3 probably background, 4 probably object.
    cutout
        The objects, in the type of the image.
    models
        One row per Gaussian: whether it is of the object, weight, mean and covariance of red, green, blue between 0
        and 255.

    Raises
    ------
    InputError
        Neither seeds nor a rectangle, only one id without a rectangle, no object, or a rectangle that leaves no background.
    ParameterError
        A lower limit that is not below the upper one.

    Notes
    -----
    The first models are fitted to the strokes alone, all planes together, one Gaussian per 15 pixels. Rounds end early when
    nothing changes any more, and only the surroundings of what connects to a stroke are looked at. With rectangles, boxes or
    classes, and where the background has no stroke, models are fitted to all pixels as OpenCV does. Unknown pixels begin
    as probable background, inside a rectangle as probable object.
    Several objects are cut out together; where strokes of several lie on one piece, it is parted along its edges of colour as
    by graph_cut_voxel, and pieces without a stroke go to the nearest one. Of boxes that overlap the smallest has the pixels.
    A stack is worked on plane by plane: planes with seeds of the object or a rectangle first, then the others from these
    outwards, each with the result and the models of the plane before, until the object ends. Work over (t, y, x) to follow an
    object through a video. A given table of models is used on the first planes; what is returned belongs to the first of them.
    OpenCV needs about 400 bytes per pixel of a plane.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", ACM
    Transactions on Graphics 23 (2004), doi:10.1145/1015706.1015720. OpenCV ``grabCut``: equal on a plane from
    rectangles and classes.
    """
    shape = _grid(image, seeds, mask, where)
    missing = np.asarray(~np.isfinite(image.reshape(*shape, -1)).all(axis=-1)) if image.dtype.kind == "f" else None
    task = read_task(Given(shape, seeds, shapes, mask, missing), seeds_are, background_id)
    pixels = as_bytes(image, len(shape), lower, upper)
    known = None if models is None else from_table(models)
    effort = cut.Effort(iterations, seed, reach, connected and seeds_are == "strokes")
    objects, mixtures = _found(task, pixels, known, seeds_are == "classes", effort)
    return GrabCut(
        _named(task, objects, pixels),
        _classes(task, objects) if four_classes else None,
        np.where(objects.reshape(*shape, *[1] * (image.ndim - len(shape))), image, image.dtype.type(0)) if cut_out else None,
        as_table(mixtures) if return_models else None,
    )


def _grid(
    image: NDArray[Any], seeds: NDArray[Any] | None, mask: NDArray[np.bool_] | None, where: Block | None
) -> tuple[int, ...]:
    """Return the shape without colour."""
    for array in (seeds, mask):
        if array is not None:
            return array.shape
    return image.shape if where is None else where.whole


def _found(
    task: Task, pixels: NDArray[np.uint8], known: Mixtures | None, go_on: bool, effort: cut.Effort
) -> tuple[NDArray[np.bool_], Mixtures]:
    """Return the pixels of all objects, and the mixtures of the first plane."""
    box = box_of(~task.outside)
    planes = pixels[box].reshape(-1, *pixels[box].shape[-3:])
    objects = np.zeros(task.outside.shape, bool)
    mixtures = None
    # objects with strokes on planes of their own are followed one by one, or one would end where another begins
    alone = effort.connected and len(planes) > 1
    for one in task.apart() if alone else [task]:
        start = known
        if start is None and not task.drawn:
            start = fitted(*one.colours(pixels), effort.seed)
        found = cut.segment(planes, one.classes[box].reshape(planes.shape[:-1]), start, go_on, effort)
        objects[box] |= cut.is_object(found.classes).reshape(pixels[box].shape[:-1])
        mixtures = mixtures or found.first_mixtures
    assert mixtures is not None
    return objects & ~task.outside, mixtures


def _named(task: Task, objects: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the id of every pixel; objects that are one piece are parted between the strokes on them."""
    labels = np.where(objects, task.owners, task.owners.dtype.type(task.rest))
    labels[task.outside] = 0
    if not task.owners.any():
        box = box_of(objects)
        strokes = np.where(objects, task.strokes, 0)[box]
        labels[box] = np.where(objects[box], _parted(strokes, objects[box], pixels[box]), labels[box])
    return labels


def _parted(strokes: NDArray[Any], objects: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the id of every object pixel: cut along the edges of colour, pieces without a stroke to the nearest one."""
    alone = out_of_reach(pixels, strokes.shape, np.flatnonzero(strokes), ~objects)
    graph = boundary_graph(
        pixels, alone, maximum=False, gradient=False, term="power", sigma=_SIGMA, spacing=(1.0,) * strokes.ndim
    )  # fmt: skip
    ids = np.unique(strokes[strokes > 0]).tolist()
    labels = part(graph, strokes, ids)
    if (alone & objects).any():
        _, nearest = distance_to_background(strokes == 0, (1.0,) * strokes.ndim, places=True)
        labels = np.where(alone, strokes[tuple(np.asarray(nearest))], labels)
    return labels


def _classes(task: Task, objects: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return 1 to 4 as they are painted."""
    found = np.where(objects, 4, 3)
    return np.select([task.classes == cut.OBJECT, task.classes == cut.BACKGROUND], [2, 1], found).astype(np.int32)
