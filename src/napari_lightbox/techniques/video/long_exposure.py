"""Long exposure: one picture, or a moving shutter, from many frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.affine import scaling
from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import Extent, Halo, Range, Unit, Where, floating, technique
from napari_lightbox.contract.grid import Box, Grid, Others
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, ReferenceMask
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.time_reduction import largest, middle, weighted_mean


def _frames(length: int, p: Parameters) -> range:
    """Return the frames taken from a clip of `length`."""
    stop = length if p["stop"] is None else min(p["stop"], length)
    frames = range(p["start"], stop, p["step"])
    if not frames:
        raise ParameterError("start", f"{p['start']} to {stop} holds none of the {length} frames", "Choose start before stop")
    return frames


def _shutter(position: int, count: int, window: int | None) -> slice:
    """Return the taken frames that output `position` sums up; a window is cut off at the ends of the clip."""
    if window is None:
        return slice(0, count)
    first = position - window // 2
    return slice(max(first, 0), min(first + window, count))


def _geometry(source: Geometry, p: Parameters, others: Others) -> Geometry:
    frames = _frames(source.shape[0], p)
    taken = replace(
        source,
        shape=(len(frames), *source.shape[1:]),
        affine=source.affine @ scaling((frames.step, 1, 1), (frames.start, 0, 0)),
    )
    return taken if p["window"] is not None else taken.resized((1, *source.shape[1:]))


def _source(box: Box, source: Geometry, target: Geometry, p: Parameters) -> Box:
    frames = _frames(source.shape[0], p)
    first = _shutter(box[0].start, len(frames), p["window"]).start
    last = _shutter(box[0].stop - 1, len(frames), p["window"]).stop - 1
    needed = [frames[first], frames[last]]
    if p["keep_frame"] is not None:
        needed.append(min(p["keep_frame"], source.shape[0] - 1))
    return (slice(min(needed), max(needed) + 1), box[1], box[2])


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return (p["step"] * (p["window"] or 1), 0, 0)


def _dtype(dtype: Any, p: Parameters) -> Any:
    return dtype if p["reduce"] == "lighten" else floating(dtype)


@technique(
    "long_exposure",
    title="Long exposure",
    locality=Halo(_radius),
    spatial=(3,),
    over="tyx",
    dtype=_dtype,
    grid=Grid(_geometry, _source),
    synonyms=("light trails", "frame averaging", "time projection", "temporal median", "background plate"),
)
def long_exposure(
    video: Image,
    keep: ReferenceMask | None = None,
    *,
    reduce: Literal["mean", "lighten", "median"] = "mean",
    window: Annotated[int | None, Range(1, None), Unit("frames")] = None,
    start: Annotated[int, Range(0, None), Unit("frames")] = 0,
    stop: Annotated[int | None, Range(1, None), Unit("frames")] = None,
    step: Annotated[int, Range(1, None), Unit("frames")] = 1,
    weights: tuple[float, ...] | None = None,
    keep_frame: Annotated[int | None, Range(0, None), Unit("frames")] = None,
    where: Where,
) -> Image:
    """Sum up the frames of a video as if the shutter had stayed open.

    What stands still stays sharp and loses its noise (by the square root of the number of frames); what moves smears (mean),
    leaves bright trails (lighten) or vanishes (median). With a window the result is a video of its own.

    Parameters
    ----------
    video
        Video (t, y, x), any real type; colours one by one. Give a volume as axes ``"tyx"`` to project it along its first axis.
    keep
        Mask (y, x) of a region that is taken from a single frame instead.
    reduce
        mean, lighten (maximum), or median.
    window
        Number of taken frames per exposure, centred on each frame and cut off at both ends of the clip; None exposes the
        whole clip once.
    start, stop, step
        Which frames are taken; stop is the one after the last, None the end of the clip.
    weights
        Weight of each frame in the mean: as many as frames are taken, or as the window is long.
    keep_frame
        Frame shown inside the mask; None means the first frame of each exposure.

    Returns
    -------
    image
        Mean and median as float32 (float64 from 32 bits on), lighten in the type of the video. One exposure has a time axis of
        length one that spans the frames taken.

    Raises
    ------
    ParameterError
        No frame is left, or the weights do not fit.
    InputError
        The mask is not a plane of the video's size.

    Notes
    -----
    The mean is summed in float64 frame by frame. Each tile reads all its frames, or those of its window, and nothing beside the
    tile; the median holds them in memory. A NaN in any frame makes the pixel NaN.

    References
    ----------
    NumPy ``mean``, ``max`` and ``median`` along the first axis; mean equal within 1e-6, the others exactly.
    """
    p = {"start": start, "stop": stop, "step": step}
    frames = _frames(where.whole[0], p)
    factors = _weights(weights, reduce, len(frames), window)
    out = np.empty(where.out_shape, _dtype(video.dtype, {"reduce": reduce}))
    for place in range(where.out_shape[0]):
        position = place + where.out_start[0]
        shutter = _shutter(position, len(frames), window)
        chosen = [frames[i] - where.start[0] for i in range(len(frames))[shutter]]
        stack = video[chosen[0] : chosen[-1] + 1 : step, _inner(where, 1), _inner(where, 2)]
        if reduce == "lighten":
            largest(stack, out[place])
        elif reduce == "median":
            middle(stack, out[place])
        else:
            first = 0 if window is None else window // 2 - position + shutter.start
            weighted_mean(stack, None if factors is None else factors[first : first + len(chosen)], out[place])
        if keep is not None:
            shown = chosen[0] if keep_frame is None else min(keep_frame, where.whole[0] - 1) - where.start[0]
            region = _region(keep, where)
            out[place][region] = video[shown, _inner(where, 1), _inner(where, 2)][region]
    return out


def _inner(where: Where, axis: int) -> slice:
    first = where.out_start[axis] - where.start[axis]
    return slice(first, first + where.out_shape[axis])


def _weights(weights: tuple[float, ...] | None, reduce: str, count: int, window: int | None) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    wanted = count if window is None else window
    if reduce != "mean" or len(weights) != wanted:
        raise ParameterError(
            "weights", f"{len(weights)} given for a {reduce} of {wanted} frames", "Give one per frame, for the mean only"
        )
    factors = np.array(weights, np.float64)
    least = factors.min() if window is not None else factors.sum()  # a cut window may be any part of them
    if not np.isfinite(factors).all() or (factors < 0).any() or least == 0:
        raise ParameterError("weights", "sum up to nothing or are below zero", "Give positive weights")
    return factors


def _region(keep: NDArray[Any], where: Where) -> NDArray[np.bool_]:
    if keep.shape != where.whole[1:]:
        raise InputError("keep", f"has shape {keep.shape}, the frames have {where.whole[1:]}", "Give one plane (y, x)")
    box = tuple(slice(a, a + n) for a, n in zip(where.out_start[1:], where.out_shape[1:], strict=True))
    return np.asarray(keep[box] != 0)
