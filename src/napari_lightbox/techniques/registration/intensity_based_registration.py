"""Intensity-based registration."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import Advanced, Dtype, OnlyIf, Range, Unit, VisibleIf, Volume, Where, floating, technique, values
from napari_lightbox.contract.roles import Image, Mask, Points, Reference, ReferenceMask, Table, Transform
from napari_lightbox.contract.where import Block
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.affine_sampling import sample
from napari_lightbox.kernels.itk_geometry import matrix_from_itk, to_itk
from napari_lightbox.kernels.itk_registration import Search, register


class Registration(NamedTuple):
    """What a registration finds."""

    aligned: Annotated[Image, Dtype("float")]
    transform: Transform
    trace: Table
    checkerboard: Annotated[Image, Dtype("float"), OnlyIf("show_checkerboard")]


@technique(
    "intensity_based_registration",
    title="Intensity-based registration",
    locality=Volume(),
    synonyms=("align", "mutual information", "rigid registration", "affine registration", "coregistration", "motion correction"),
)
def intensity_based_registration(
    fixed: Image,
    moving: Reference,
    fixed_mask: Mask | None = None,
    moving_mask: ReferenceMask | None = None,
    fixed_points: Points | None = None,
    moving_points: Points | None = None,
    *,
    model: Literal["translation", "rigid", "similarity", "affine"] = "rigid",
    metric: Literal["mattes", "joint_histogram", "mean_squares", "correlation"] = "mattes",
    bins: Annotated[int, Range(5, 256), VisibleIf("metric", "mattes", "joint_histogram")] = 50,
    sampling: Annotated[float, Range(0.001, 1, 0.05), Unit("fraction")] = 0.2,
    init: Literal["geometry", "moments"] = "geometry",
    optimizer: Annotated[Literal["regular_step", "line_search", "gradient"], Advanced()] = "regular_step",
    learning_rate: Annotated[float, Range(1e-6, 1000, 0.1), Advanced()] = 1.0,
    min_step: Annotated[float, Range(1e-9, 1), VisibleIf("optimizer", "regular_step"), Advanced()] = 1e-4,
    iterations: Annotated[int, Range(1, 10_000), Advanced()] = 300,
    convergence: Annotated[float, Range(0, 1), VisibleIf("optimizer", "line_search", "gradient"), Advanced()] = 1e-6,
    shrink: Annotated[tuple[int, ...], Advanced()] = (4, 2, 1),
    sigmas: Annotated[tuple[float, ...], Unit("px"), Advanced()] = (2.0, 1.0, 0.0),
    default_value: Annotated[float, Unit("intensity"), Advanced()] = 0.0,
    show_checkerboard: bool = False,
    tiles: Annotated[int, Range(1, 1000), VisibleIf("show_checkerboard", True)] = 8,
    seed: Annotated[int, Range(0, 2**31 - 2), Advanced()] = 0,
    where: Where,
) -> Registration:
    """Find the movement that brings one image onto another by comparing their intensities.

    Mutual information only asks that the same tissue has the same grey value within each image, so CT can be laid on MRI, or
    one stain on another; mean squares and correlation suit images of one kind. Give points to start from when the
    images are far apart, and masks to leave out what moves on its own.

    Parameters
    ----------
    fixed
        Image (y, x) or (z, y, x) that stays.
    moving
        Image that is laid on it, on a grid of its own.
    fixed_mask, moving_mask
        Only what lies inside is compared.
    fixed_points, moving_points
        Matching points, in the same order, for the start; at least as many as the image has axes.
    model
        translation; rigid adds rotation; similarity adds one scale; affine adds scale and shear per axis.
    metric
        mattes or joint_histogram (mutual information), mean_squares, correlation.
    bins
        Grey value classes of the joint histogram.
    sampling
        Fraction of pixels compared at full size, drawn at random (as many at coarser levels); 1 takes all.
    init
        Start with the centres of the grids (geometry) or of the intensities (moments) on top of each other.
    optimizer
        regular_step halves its step when it turns back; line_search looks for the best step each time; gradient follows the
        slope and may stop early.
    learning_rate
        First step, in units of the optimizer.
    min_step
        Smallest step before it ends.
    iterations
        Most steps per level.
    convergence
        Smallest change of the metric before it ends.
    shrink
        Shrink factor per level, coarse to fine.
    sigmas
        Smoothing per level, in pixels.
    default_value
        Value where the moving image has nothing to show.
    show_checkerboard
        Also give a checkerboard of both images.
    tiles
        Number of fields along each axis.
    seed
        Of the random samples.

    Returns
    -------
    aligned
        The moving image on the grid of the fixed one, as float, in its own intensities.
    transform
        Takes world positions of the fixed image to those of the moving one; resample_to_reference applies it to other layers.
    trace
        Metric per step and level.
    checkerboard
        Fields of both images in turn, the moving one linearly brought to the range of the fixed one for the eye; None
        unless asked for.

    Raises
    ------
    InputError
        Dimensions differ, an image is constant, or the images do not overlap.
    ParameterError
        Shrink factors and sigmas of different number.

    Notes
    -----
    Works in world units: spacing, origin and rotated axes of both images count. Runs on one thread, so that the same input
    gives the same bits. NaN counts as 0. Zero-filled borders pull a search away: mask them.

    References
    ----------
    D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE Transactions on Medical Imaging 22
    (2003), doi:10.1109/TMI.2003.809072. SimpleITK ``ImageRegistrationMethod``.
    """
    source = where.others["moving"]
    _check(fixed, moving, where.geometry, source, shrink, sigmas)
    search = Search(
        model, metric, bins, sampling, seed, optimizer, learning_rate, min_step, iterations, convergence, shrink, sigmas, init
    )
    masks = (_mask(fixed_mask, where.geometry), _mask(moving_mask, source))
    landmarks = _landmarks(fixed_points, moving_points, where.geometry, source)
    found, steps = register(_image(fixed, where.geometry), _image(moving, source), search, masks, landmarks)
    matrix = matrix_from_itk(found)
    pull = np.linalg.solve(source.affine, matrix @ where.geometry.affine)
    shape = where.geometry.shape
    onto = Block((0,) * moving.ndim, moving.shape, (0,) * len(shape), shape, source)
    aligned = sample(np.asarray(moving).astype(floating(moving.dtype)), pull, onto, "linear", "cut", default_value)
    checkerboard = _checkerboard(fixed, aligned, tiles) if show_checkerboard else None
    return Registration(aligned, values.Transform(matrix), _trace(steps), checkerboard)  # type: ignore[arg-type]


def _check(
    fixed: NDArray[Any],
    moving: NDArray[Any],
    grid: Geometry,
    source: Geometry,
    shrink: tuple[int, ...],
    sigmas: tuple[float, ...],
) -> None:
    if len(shrink) != len(sigmas) or not shrink or min(shrink) < 1 or min(sigmas) < 0:
        raise ParameterError(
            "shrink", f"{shrink} does not go with sigmas {sigmas}", "Give one factor above zero and one sigma per level"
        )
    if grid.axes != source.axes or moving.ndim != fixed.ndim:
        raise InputError("moving", f"has axes {source.axes!r}, the fixed image {grid.axes!r}", "Give both the same spatial axes")
    for name, image in (("fixed", fixed), ("moving", moving)):
        finite = image[np.isfinite(image)] if image.dtype.kind == "f" else image
        if finite.size == 0 or finite.min() == finite.max():
            raise InputError(name, "is constant", "Give an image with structure")


def _image(array: NDArray[Any], geometry: Geometry) -> Any:
    values_ = np.asarray(array).astype(floating(array.dtype))
    return to_itk(np.nan_to_num(values_, copy=False, nan=0.0, posinf=0.0, neginf=0.0), geometry)


def _mask(mask: NDArray[Any] | None, geometry: Geometry) -> Any:
    return None if mask is None else to_itk((np.asarray(mask) != 0).astype(np.uint8), geometry)


def _landmarks(
    fixed: values.Points | None, moving: values.Points | None, grid: Geometry, source: Geometry
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    if fixed is None and moving is None:
        return None
    counts = [0 if p is None else len(p.data) for p in (fixed, moving)]
    if counts[0] != counts[1] or counts[0] < grid.ndim or fixed is None or moving is None:
        raise InputError(
            "points", f"{counts[0]} on the fixed and {counts[1]} on the moving image", f"Give at least {grid.ndim} matching pairs"
        )
    return _world(fixed.data, grid), _world(moving.data, source)


def _world(points: NDArray[Any], geometry: Geometry) -> NDArray[np.float64]:
    """Return world positions with x first, as ITK wants them."""
    matrix = geometry.affine
    return np.asarray(points[:, -geometry.ndim :] @ matrix[:-1, :-1].T + matrix[:-1, -1])[:, ::-1].copy()


def _trace(steps: list[tuple[int, int, float, float]]) -> values.Table:
    level, iteration, metric, step = zip(*steps, strict=True) if steps else ((), (), (), ())
    return values.Table(
        {
            "level": np.array(level, np.int64),
            "iteration": np.array(iteration, np.int64),
            "metric": np.array(metric, np.float64),
            "step": np.array(step, np.float64),
        }
    )


def _checkerboard(fixed: NDArray[Any], aligned: NDArray[Any], tiles: int) -> NDArray[Any]:
    low, high = np.nanpercentile(aligned, (1, 99))
    floor, top = np.nanpercentile(fixed, (1, 99))
    matched = (aligned - low) * ((top - floor) / (high - low) if high > low else 1.0) + floor
    fields = sum(np.ix_(*[np.arange(n) * tiles // n for n in fixed.shape]))
    return np.where(np.asarray(fields) % 2 == 0, fixed, matched).astype(floating(fixed.dtype))
