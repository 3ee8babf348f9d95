"""MOG2 equals OpenCV's subtractor pixel for pixel, frame for frame."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.techniques.video.background_subtraction_mog2 import background_subtraction_mog2

FRAMES = 60


def moving_square(rng, dtype, colour, frames=FRAMES, shape=(64, 96), noise=6.0):
    """Return a noisy video: a bright square crosses, a shadow follows it, the light drifts and flashes."""
    base = rng.uniform(20, 220, (*shape, 3) if colour else shape)
    video = []
    for k in range(frames):
        picture = base + rng.normal(0, noise, base.shape) + 10 * np.sin(k / 7)
        x = 2 * k % (shape[1] - 20)
        picture[20:40, x : x + 20] = rng.uniform(150, 250)
        picture[45:55, x : x + 20] *= 0.6
        if k % 13 == 0:
            picture[:10] = rng.uniform(0, 255)
        video.append(np.clip(picture, 0, 255).astype(dtype))
    return video


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("shadows", "rate"), [(False, -1.0), (True, -1.0), (True, 0.05), (True, 0.3)])
def test_every_frame_equals_opencv(rng, dtype, colour, shadows, rate):
    oracle = cv2.createBackgroundSubtractorMOG2(500, 32, shadows)
    state = None
    seen: set[int] = set()
    for frame in moving_square(rng, dtype, colour):
        state, (labels, background) = background_subtraction_mog2(frame, detect_shadows=shadows, learning_rate=rate, state=state)
        mask = oracle.apply(frame, learningRate=rate)
        np.testing.assert_array_equal(labels, np.select([mask == 127, mask == 255], [2, 1], 0))
        seen |= set(np.unique(labels).tolist())
        if dtype != "uint16":  # OpenCV gives no background image of 16-bit video
            np.testing.assert_array_equal(background, oracle.getBackgroundImage())
    assert {0, 2} <= seen if shadows else seen == {0, 1}
    assert state["counts"].max() > 1


@pytest.mark.parametrize(
    ("ours", "theirs", "rate"),
    [
        ({"history": 20}, {}, -1.0),
        ({"n_mixtures": 3, "background_ratio": 0.7}, {"NMixtures": 3, "BackgroundRatio": 0.7}, -1.0),
        ({"var_threshold_new": 16.0, "var_initial": 30.0}, {"VarThresholdGen": 16.0, "VarInit": 30.0}, -1.0),
        ({"var_min": 10.0, "var_max": 20.0}, {"VarMin": 10.0, "VarMax": 20.0}, -1.0),
        ({"complexity_reduction": 0.2}, {"ComplexityReductionThreshold": 0.2}, 0.1),
        ({"shadow_darkness": 0.8, "detect_shadows": True}, {"ShadowThreshold": 0.8}, -1.0),
        ({}, {}, 0.0),
        ({}, {}, 1.0),
    ],
)
def test_every_setting_equals_opencv(rng, ours, theirs, rate):
    oracle = cv2.createBackgroundSubtractorMOG2(ours.get("history", 500), 32, ours.get("detect_shadows", False))
    for name, value in theirs.items():
        getattr(oracle, f"set{name}")(value)
    state = None
    for frame in moving_square(rng, "uint8", colour=True):
        state, (labels, background) = background_subtraction_mog2(frame, learning_rate=rate, state=state, **ours)
        mask = oracle.apply(frame, learningRate=rate)
        np.testing.assert_array_equal(labels, np.select([mask == 127, mask == 255], [2, 1], 0))
        np.testing.assert_array_equal(background, oracle.getBackgroundImage())


def test_the_state_is_never_changed_in_place(rng):
    first, second = moving_square(rng, "uint8", colour=False, frames=2)
    state, _ = background_subtraction_mog2(first, state=None)
    before = {name: array.copy() for name, array in state.items()}
    after, _ = background_subtraction_mog2(second, state=state)
    again, _ = background_subtraction_mog2(second, state=state)
    for name, array in state.items():
        np.testing.assert_array_equal(array, before[name])
        np.testing.assert_array_equal(after[name], again[name])
    assert int(after["frames"]) == 2


def test_a_planted_square_is_found_after_warm_up(rng):
    base = rng.uniform(60, 120, (40, 160))
    overlaps = []
    state = None
    for k in range(125):
        picture = base + rng.normal(0, 3, base.shape)
        truth = np.zeros(base.shape, bool)
        if k >= 100:
            truth[10:30, 6 * (k - 100) : 6 * (k - 100) + 16] = True
            picture[truth] = 200 + rng.normal(0, 3, truth.sum())
        state, (labels, background) = background_subtraction_mog2(np.clip(picture, 0, 255).astype(np.uint8), state=state)
        if k == 0:
            assert (labels == 1).all()
        if k >= 100:
            found = labels == 1
            overlaps.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(overlaps) > 0.99
    assert np.abs(background.astype(float) - base).mean() < 2


def test_missing_pixels_are_left_out(rng):
    frames = moving_square(rng, "float32", colour=False, frames=20)
    state = hole = None
    for k, frame in enumerate(frames):
        state, (labels, _) = background_subtraction_mog2(frame, state=state)
        holed = frame.copy()
        holed[5, 5] = np.nan
        if k == 10:
            holed[20:30] = np.nan
        hole, (seen, shown) = background_subtraction_mog2(holed, state=hole)
        assert seen[5, 5] == 0
        assert np.isnan(shown[5, 5])
    np.testing.assert_array_equal(seen[50:], labels[50:])
    assert np.isfinite(shown[20:30]).all()


@pytest.mark.parametrize("colour", [False, True])
def test_lazy_tiles_equal_the_whole(rng, colour):
    video = np.stack(moving_square(rng, "uint8", colour, frames=12))
    axes = "tyxc" if colour else "tyx"
    whole = lb.apply("background_subtraction_mog2", video, axes=axes)
    lazy = lb.apply("background_subtraction_mog2", da.from_array(video, chunks=(5, 30, 40, 3)[: video.ndim]), axes=axes)
    np.testing.assert_array_equal(lazy.foreground.compute(), whole.foreground)
    np.testing.assert_array_equal(lazy.background[7].compute(), whole.background[7])
    assert whole.foreground.dtype == np.int32
