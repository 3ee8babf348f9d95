"""Background subtraction with an adaptive mixture of Gaussians."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Range, Sequence, State, Unit, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.slabs import run_slabs

_LEAST_PIXELS = 1 << 13


class Subtraction(NamedTuple):
    """What one frame gives: its foreground and the background behind it."""

    foreground: Labels
    background: Image


def _start(frame: NDArray[Any], parameters: Parameters) -> dict[str, NDArray[Any]]:
    """Return the empty model: no pixel has a mode yet."""
    rows, columns = frame.shape[:2]
    modes, channels = parameters["n_mixtures"], frame.shape[2] if frame.ndim == 3 else 1
    return {
        "frames": np.zeros((), np.int64),
        "counts": np.zeros((rows, columns), np.uint8),
        "modes": np.zeros((rows, columns, modes, 2 + channels), np.float32),
    }


@technique(
    "background_subtraction_mog2",
    title="Background subtraction: MOG2",
    locality=Sequence(_start),
    spatial=(2,),
    channels="rgb",
    synonyms=("foreground detection", "Gaussian mixture model", "motion detection", "change detection"),
)
def background_subtraction_mog2(
    frame: Image,
    *,
    history: Annotated[int, Range(1, 100_000), Unit("frames")] = 500,
    var_threshold: Annotated[float, Range(0.01, 10_000, 0.5)] = 32.0,
    detect_shadows: bool = False,
    n_mixtures: Annotated[int, Range(1, 255), Advanced()] = 5,
    background_ratio: Annotated[float, Range(0, 1, 0.05), Unit("fraction"), Advanced()] = 0.9,
    learning_rate: Annotated[float, Range(-1, 1, 0.001), Unit("fraction"), Advanced()] = -1.0,
    var_threshold_new: Annotated[float, Range(0.01, 10_000, 0.5), Advanced()] = 9.0,
    var_initial: Annotated[float, Range(0, None), Advanced()] = 15.0,
    var_min: Annotated[float, Range(0, None), Advanced()] = 4.0,
    var_max: Annotated[float, Range(0, None), Advanced()] = 75.0,
    complexity_reduction: Annotated[float, Range(0, 1, 0.01), Advanced()] = 0.05,
    shadow_darkness: Annotated[float, Range(0, 1, 0.05), Unit("fraction"), Advanced()] = 0.5,
    state: State = None,
) -> tuple[Any, Subtraction]:
    """Separate moving objects from a background that is learned frame by frame.

    Each pixel keeps up to five Gaussians of the values it has shown, with weights that fade over the history. A value near
    one of the heavy Gaussians is background, everything else is foreground. Use it on video from a fixed camera whose light
    changes slowly: traffic, animals, cells that move. Along z of a still volume it only means "changed since the slices before".

    Parameters
    ----------
    frame
        Frame (y, x) or colour frame (y, x, c) of a video, any real type; alpha takes part as a fourth channel.
    history
        Number of frames the model remembers; the automatic learning rate is one over it.
    var_threshold
        Largest squared distance to a Gaussian, in variances, that still counts as background. Lower finds fainter
        objects and more noise; OpenCV's own default is 16.
    detect_shadows
        Mark darker pixels of unchanged colour as shadow (label 2) instead of foreground.
    n_mixtures
        Most Gaussians per pixel.
    background_ratio
        Summed weight of the Gaussians that make up the background.
    learning_rate
        Weight of a new frame: 0 freezes the model, 1 starts anew with each frame, a negative number means
        1 / min(2 n, history) for frame n.
    var_threshold_new
        Largest squared distance, in variances, at which a value updates a Gaussian instead of founding a new one.
    var_initial, var_min, var_max
        First, least and greatest variance of a Gaussian, in squared intensity units of the image.
    complexity_reduction
        How fast Gaussians without support are dropped.
    shadow_darkness
        A shadow is at least this fraction as bright as the background.
    state
        Model after the frame before.

    Returns
    -------
    foreground
        0 background, 1 foreground, 2 shadow. The whole first frame is foreground.
    background
        Weighted mean of the background Gaussians, in the type of the image.

    Notes
    -----
    Equal to OpenCV pixel for pixel, frame for frame (shadow is its value 127); computed in float32 as there.
    Intensities are not rescaled: the variances are meant for 8-bit images, so multiply them by 257 squared for an image that
    fills 16 bits, and divide them by 255 squared for one between 0 and 1. NaN pixels are reported as background and
    leave the model as it is; the background is NaN (0 in integers) where nothing has been seen yet. The model takes
    (2 + channels) x 4 bytes per pixel and Gaussian in use.

    References
    ----------
    Z. Zivkovic, F. van der Heijden, Efficient adaptive density estimation per image pixel for the task of background
    subtraction, Pattern Recognition Letters 27 (2006), doi:10.1016/j.patrec.2005.11.005. OpenCV ``BackgroundSubtractorMOG2``.
    """
    from napari_lightbox.kernels.mog2_compiled import step

    parameters: dict[str, Any] = {"n_mixtures": n_mixtures}
    if state is None or learning_rate >= 1:
        state = _start(frame, parameters)
    number = int(state["frames"]) + 1
    rate = learning_rate if learning_rate >= 0 and number > 1 else 1.0 / min(2 * number, history)
    prune = -rate * float(np.float32(complexity_reduction))
    settings = tuple(
        map(
            np.float32,
            (rate, var_threshold, var_threshold_new, background_ratio, var_initial, var_min, var_max, prune, shadow_darkness),
        )
    )
    modes, counts = state["modes"], state["counts"]
    pixels, channels = counts.size, modes.shape[-1] - 2
    values = np.ascontiguousarray(frame, np.float32).reshape(pixels, channels)
    values.flags.writeable = False
    old = modes.reshape(pixels, *modes.shape[2:]), counts.reshape(pixels)
    new = np.empty_like(old[0]), np.empty_like(old[1])
    labels, expected = np.empty(frame.shape[:2], np.int32), np.empty(values.shape, np.float32)
    marks = labels.reshape(pixels)

    def work(first: int, last: int) -> None:
        part = slice(first, last)
        before, after = (old[0][part], old[1][part]), (new[0][part], new[1][part])
        step(values[part], before, after, settings, detect_shadows, marks[part], expected[part], (0,) * channels)

    run_slabs(work, pixels, _LEAST_PIXELS)
    after = {"frames": np.array(number, np.int64), "modes": new[0].reshape(modes.shape), "counts": new[1].reshape(counts.shape)}
    if frame.dtype.kind != "f":
        expected = np.nan_to_num(expected, copy=False, nan=0.0)
    return after, Subtraction(labels, to_dtype(expected.reshape(frame.shape), frame.dtype))
