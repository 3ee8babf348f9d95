"""Long exposure against NumPy reductions and a planted scene."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import InputError, ParameterError

ORACLES = {"mean": np.mean, "lighten": np.max, "median": np.median}


def clip(rng, dtype, frames=9, shape=(20, 30)):
    values = rng.uniform(0, 1 if np.dtype(dtype).kind == "f" else 200, (frames, *shape))
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64", "int64"])
@pytest.mark.parametrize("reduce", ["mean", "lighten", "median"])
def test_whole_clip_equals_numpy(rng, dtype, reduce):
    video = clip(rng, dtype)
    result = lb.apply("long_exposure", video, axes="tyx", reduce=reduce)
    oracle = ORACLES[reduce](video, axis=0, keepdims=True)
    assert result.shape == (1, 20, 30)
    if reduce == "lighten":
        assert result.dtype == video.dtype
    np.testing.assert_allclose(result, oracle, rtol=1e-6)


@pytest.mark.parametrize("reduce", ["mean", "lighten", "median"])
@pytest.mark.parametrize("window", [1, 3, 4, 50])
def test_sliding_window_of_chosen_frames(rng, reduce, window):
    video = clip(rng, "uint8", frames=13)
    result = lb.apply("long_exposure", video, axes="tyx", reduce=reduce, window=window, start=1, stop=12, step=2)
    taken = video[1:12:2]
    for k, frame in enumerate(result):
        part = taken[max(k - window // 2, 0) : k - window // 2 + window]
        np.testing.assert_allclose(frame, ORACLES[reduce](part, axis=0), rtol=1e-6)
    assert len(result) == len(taken)


def test_weights_follow_the_window_at_the_ends(rng):
    video = clip(rng, "float64")
    weights = (1.0, 4.0, 2.0)
    result = lb.apply("long_exposure", video, axes="tyx", window=3, weights=weights)
    for k, frame in enumerate(result):
        indices = [i for i in range(k - 1, k + 2) if 0 <= i < len(video)]
        np.testing.assert_allclose(
            frame, np.average(video[indices], axis=0, weights=[weights[i - k + 1] for i in indices]), rtol=1e-12
        )
    whole = lb.apply("long_exposure", video, axes="tyx", weights=tuple(range(9)))
    np.testing.assert_allclose(whole[0], np.average(video, axis=0, weights=np.arange(9)), rtol=1e-12)


def test_noise_falls_by_the_square_root_of_the_frames_and_trails_hold_their_light(rng):
    scene = rng.uniform(50, 150, (60, 80))
    video = scene + rng.normal(0, 10, (40, 60, 80))
    clean = np.repeat(scene[np.newaxis], 40, axis=0)
    for k in range(40):
        video[k, 30:33, 2 * k : 2 * k + 2] += 80.0
        clean[k, 30:33, 2 * k : 2 * k + 2] += 80.0
    still = np.ones(scene.shape, bool)
    still[30:33] = False
    result = lb.apply("long_exposure", video, axes="tyx")[0]
    np.testing.assert_allclose((result - scene)[still].std(), 10 / np.sqrt(40), rtol=0.04)  # four standard errors
    noise_free = lb.apply("long_exposure", clean, axes="tyx")[0]
    np.testing.assert_allclose((noise_free - scene)[30:33].sum(), 80 * 6 * 40 / 40, rtol=1e-9)
    plate = lb.apply("long_exposure", clean, axes="tyx", reduce="median")[0]
    np.testing.assert_allclose(plate, scene)


def test_mask_keeps_one_frame(rng):
    video = clip(rng, "uint8")
    keep = np.zeros((20, 30), bool)
    keep[5:9, 3:20] = True
    result = lb.apply("long_exposure", video, keep, axes="tyx", keep_frame=4)[0]
    np.testing.assert_array_equal(result[keep], video[4][keep])
    np.testing.assert_allclose(result[~keep], video.mean(axis=0)[~keep], rtol=1e-6)
    windows = lb.apply("long_exposure", video, keep, axes="tyx", window=3)
    np.testing.assert_array_equal(windows[6][keep], video[5][keep])
    with pytest.raises(InputError, match="plane"):
        lb.apply("long_exposure", video, keep[:10], axes="tyx")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"window": 3, "step": 2},
        {"reduce": "median", "start": 1, "stop": 7},
        {"reduce": "lighten", "window": 4},
        {"keep_frame": 8, "window": 2},
    ],
)
def test_lazy_equals_whole(rng, parameters):
    video = clip(rng, "uint8")
    keep = rng.uniform(size=(20, 30)) > 0.7
    whole = lb.apply("long_exposure", video, keep, axes="tyx", **parameters)
    lazy = lb.apply("long_exposure", da.from_array(video, chunks=(2, 8, 11)), keep, axes="tyx", **parameters)
    np.testing.assert_array_equal(lazy.compute(), whole)


def test_time_axis_spans_the_frames_taken():
    video = Volume(np.zeros((10, 4, 4), np.uint8), Geometry.of("tyx", (10, 4, 4), {"t": 0.5}))
    one = lb.apply("long_exposure", video, start=2, step=2).geometry
    assert one.shape == (1, 4, 4)
    np.testing.assert_allclose((one.spacing[0], one.origin[0]), (4 * 1.0, (2 + 8) / 2 * 0.5))
    moving = lb.apply("long_exposure", video, start=2, step=2, window=3).geometry
    np.testing.assert_allclose((moving.spacing[0], moving.origin[0]), (1.0, 1.0))


@pytest.mark.parametrize(
    "parameters", [{"start": 20}, {"weights": (1.0,)}, {"reduce": "median", "weights": (1.0,) * 9}, {"weights": (0.0,) * 9}]
)
def test_impossible_requests_are_refused(rng, parameters):
    with pytest.raises(ParameterError):
        lb.apply("long_exposure", clip(rng, "uint8"), axes="tyx", **parameters)
