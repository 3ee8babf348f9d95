"""Sequences: order along t, checkpoints, tiles."""

from __future__ import annotations

import sys
from typing import Any

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.contract import Sequence, State, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.engine.checkpoints import checkpoints
from napari_lightbox.errors import AxesError
from napari_lightbox.kernels import slabs
from napari_lightbox.settings import override
from napari_lightbox.testing.sources import WatchedArray

_started: list[tuple[int, ...]] = []


def _start(frame, parameters):
    _started.append(frame.shape)
    return {"mean": np.zeros(frame.shape, np.float64)}


@technique("running_mean", title="Running mean", family="test", locality=Sequence(_start), dtype="float64", spatial=(2,))
def running_mean(frame: Image, *, rate: float = 0.25, state: State) -> tuple[Any, Image]:
    """Follow the mean of each pixel.

    For tests of the engine.

    Parameters
    ----------
    frame
        One frame.
    rate
        Weight of the new frame.
    """
    mean = state["mean"] + rate * (frame - state["mean"])
    return {"mean": mean}, mean


VIDEO = np.random.default_rng(0).integers(0, 255, (12, 18, 20)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _fresh_checkpoints():
    checkpoints.clear()


def reference(video: np.ndarray, rate: float = 0.25) -> np.ndarray:
    mean, out = np.zeros(video.shape[1:]), []
    for frame in video:
        mean = mean + rate * (frame - mean)
        out.append(mean)
    return np.stack(out)


@pytest.mark.parametrize("chunks", [(1, 18, 20), (5, 7, 20), (12, 4, 4)])
def test_tiles_and_time_chunks_change_nothing(chunks: tuple[int, ...]) -> None:
    tiled = lb.apply(running_mean.technique, da.from_array(VIDEO, chunks=chunks), axes="tyx").compute()
    np.testing.assert_array_equal(tiled, reference(VIDEO))
    np.testing.assert_array_equal(lb.apply(running_mean.technique, VIDEO, axes="tyx"), tiled)


def test_a_frame_is_entered_from_the_nearest_checkpoint() -> None:
    watched = WatchedArray(VIDEO)
    tiled = lb.apply(running_mean.technique, watched.lazy((1, 18, 20)), axes="tyx")
    np.testing.assert_array_equal(np.asarray(tiled[6]), reference(VIDEO)[6])
    assert len(watched.reads) == 7
    watched.reads.clear()
    np.testing.assert_array_equal(np.asarray(tiled[8]), reference(VIDEO)[8])
    assert sorted(b[0].start for b in watched.reads) == [7, 8]


def test_short_memory_thins_checkpoints_without_changing_results() -> None:
    with override(memory_budget="1MiB"):
        video = np.random.default_rng(1).integers(0, 255, (40, 40, 40)).astype(np.uint8)
        tiled = lb.apply(running_mean.technique, da.from_array(video, chunks=(1, 40, 40)), axes="tyx")
        np.testing.assert_array_equal(np.asarray(tiled[39]), reference(video)[39])
        np.testing.assert_array_equal(np.asarray(tiled[17]), reference(video)[17])


def test_channels_have_states_of_their_own() -> None:
    both = np.stack([VIDEO, 255 - VIDEO], axis=1)
    tiled = lb.apply(running_mean.technique, da.from_array(both, chunks=(3, 1, 9, 20)), axes="tcyx").compute()
    np.testing.assert_array_equal(tiled[:, 1], reference(255 - VIDEO))


def test_a_stack_without_time_is_refused() -> None:
    with pytest.raises(AxesError, match="tyx"):
        lb.apply(running_mean.technique, VIDEO, axes="zyx")


@pytest.mark.parametrize("processors", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_stripes_of_an_eager_film_change_nothing(monkeypatch: pytest.MonkeyPatch, processors: int, masked: bool) -> None:
    monkeypatch.setattr(slabs, "_PROCESSORS", processors)
    film = np.random.default_rng(1).integers(0, 255, (2, 5, 250, 110)).astype(np.uint8)
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(sys.modules[__name__], "_started", seen)
    mask = np.random.default_rng(2).random(film.shape) > 0.5 if masked else None
    found = lb.apply(running_mean.technique, film, axes="ctyx", mask=mask)
    expected = np.stack([reference(one) for one in film])
    np.testing.assert_array_equal(found, expected if mask is None else np.where(mask, expected, film))
    heights = sorted(shape[0] for shape in seen)
    assert heights == ([250, 250] if processors == 1 else [83, 83, 83, 83, 84, 84])
