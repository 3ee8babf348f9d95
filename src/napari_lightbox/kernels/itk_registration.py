"""Search for the linear transform that makes two images agree, with SimpleITK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError

Model = Literal["translation", "rigid", "similarity", "affine"]
Metric = Literal["mattes", "joint_histogram", "mean_squares", "correlation"]
Optimizer = Literal["regular_step", "line_search", "gradient"]
Start = Literal["geometry", "moments"]


@dataclass(frozen=True)
class Search:
    """How to search; see `intensity_based_registration` for the meaning of each."""

    model: Model
    metric: Metric
    bins: int
    sampling: float
    seed: int
    optimizer: Optimizer
    learning_rate: float
    min_step: float
    iterations: int
    convergence: float
    shrink: Sequence[int]
    sigmas: Sequence[float]
    start: Start


def register(
    fixed: Any,
    moving: Any,
    search: Search,
    masks: tuple[Any, Any] = (None, None),
    landmarks: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> tuple[Any, list[tuple[int, int, float, float]]]:
    """Return the transform from fixed to moving world points and one (level, iteration, metric, step) row per step.

    `landmarks` are matching world points (x, y, z last axis first) that give the start instead of ``search.start``.

    Raises
    ------
    InputError
        The search cannot begin or loses the overlap.
    """
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    # sums over several threads differ in the last bits from run to run
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    _set_metric(method, search, fixed.GetDimension(), masks)
    _set_optimizer(method, search)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([int(s) for s in search.shrink])
    method.SetSmoothingSigmasPerLevel([float(s) for s in search.sigmas])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInterpolator(sitk.sitkLinear)
    trace: list[tuple[int, int, float, float]] = []

    def note() -> None:
        trace.append(
            (
                method.GetCurrentLevel(),
                method.GetOptimizerIteration(),
                method.GetMetricValue(),
                method.GetOptimizerLearningRate(),
            )
        )

    method.AddCommand(sitk.sitkIterationEvent, note)
    try:
        method.SetInitialTransform(_first_guess(fixed, moving, search, landmarks), inPlace=True)
        found = method.Execute(fixed, moving)
    except RuntimeError as problem:
        raise InputError(
            "moving", f"cannot be registered ({_reason(problem)})", "Bring it closer by points, moments or its geometry"
        ) from None
    return found, trace


def _reason(problem: RuntimeError) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1].rpartition("): ")[2].rstrip(".") if lines else "SimpleITK gave up"


def _set_metric(method: Any, search: Search, dimension: int, masks: tuple[Any, Any]) -> None:
    if search.metric == "mattes":
        method.SetMetricAsMattesMutualInformation(search.bins)
    elif search.metric == "joint_histogram":
        method.SetMetricAsJointHistogramMutualInformation(search.bins)
    elif search.metric == "mean_squares":
        method.SetMetricAsMeanSquares()
    else:
        method.SetMetricAsCorrelation()
    if search.sampling < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        # a coarse level has few pixels: it takes as many as the finest one does
        shares = [min(1.0, search.sampling * float(s) ** dimension) for s in search.shrink]
        method.SetMetricSamplingPercentagePerLevel(shares, seed=search.seed + 1)  # zero would mean the clock
    if masks[0] is not None:
        method.SetMetricFixedMask(masks[0])
    if masks[1] is not None:
        method.SetMetricMovingMask(masks[1])


def _set_optimizer(method: Any, search: Search) -> None:
    if search.optimizer == "regular_step":
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=search.learning_rate,
            minStep=search.min_step,
            numberOfIterations=search.iterations,
            gradientMagnitudeTolerance=1e-8,
        )
    elif search.optimizer == "line_search":
        method.SetOptimizerAsGradientDescentLineSearch(
            learningRate=search.learning_rate,
            numberOfIterations=search.iterations,
            convergenceMinimumValue=search.convergence,
            convergenceWindowSize=10,
        )
    else:
        method.SetOptimizerAsGradientDescent(
            learningRate=search.learning_rate,
            numberOfIterations=search.iterations,
            convergenceMinimumValue=search.convergence,
            convergenceWindowSize=10,
            estimateLearningRate=method.EachIteration,
        )


def _first_guess(fixed: Any, moving: Any, search: Search, landmarks: tuple[NDArray[Any], NDArray[Any]] | None) -> Any:
    """Return a transform of the wanted model that brings the images roughly together."""
    import SimpleITK as sitk

    ndim = fixed.GetDimension()
    flat = {"rigid": sitk.Euler2DTransform, "similarity": sitk.Similarity2DTransform}
    solid = {"rigid": sitk.Euler3DTransform, "similarity": sitk.Similarity3DTransform}
    if search.model == "translation":
        return sitk.TranslationTransform(ndim, _shift(fixed, moving, search, landmarks))
    empty = sitk.AffineTransform(ndim) if search.model == "affine" else (flat if ndim == 2 else solid)[search.model]()
    if landmarks is not None:
        centre = landmarks[0].mean(axis=0).tolist()
        empty.SetCenter(centre)
        return type(empty)(
            sitk.LandmarkBasedTransformInitializer(empty, landmarks[0].ravel().tolist(), landmarks[1].ravel().tolist())
        )
    return type(empty)(sitk.CenteredTransformInitializer(fixed, moving, empty, _mode(search.start)))


def _mode(start: Start) -> int:
    import SimpleITK as sitk

    filters = sitk.CenteredTransformInitializerFilter
    return int(filters.MOMENTS if start == "moments" else filters.GEOMETRY)


def _shift(fixed: Any, moving: Any, search: Search, landmarks: tuple[NDArray[Any], NDArray[Any]] | None) -> list[float]:
    import SimpleITK as sitk

    if landmarks is not None:
        return [float(v) for v in np.mean(landmarks[1] - landmarks[0], axis=0)]
    rigid = sitk.Euler2DTransform() if fixed.GetDimension() == 2 else sitk.Euler3DTransform()
    return list(type(rigid)(sitk.CenteredTransformInitializer(fixed, moving, rigid, _mode(search.start))).GetTranslation())
