"""The suite every runner passes: local, distributed and remote ones look the same to whoever submits."""

from __future__ import annotations

import time
from typing import Any

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Runner
from napari_lightbox.errors import CancelledError, InputError, ParameterError, UnknownTechniqueError
from napari_lightbox.testing.compare import assert_same
from napari_lightbox.testing.examples import blobs, seeds

SAMPLES: dict[str, dict[str, Any]] = {
    "invert_intensity": {},
    "gaussian_blur": {"sigma": 1.5},
    "threshold_otsu": {},
    "connected_components": {},
    "distance_transform": {},
    "marker_controlled_watershed": {},
}


class RunnerSuite:
    """Subclass and give a fixture named `runner`."""

    @pytest.fixture
    def runner(self) -> Runner:
        """Return the runner to test."""
        pytest.fail("give a fixture named runner")

    @pytest.mark.parametrize("technique", SAMPLES)
    @pytest.mark.parametrize("lazy", [False, True])
    def test_results_equal_apply(self, runner: Runner, technique: str, lazy: bool) -> None:
        """A submitted run gives what `lb.apply` gives, for NumPy and dask inputs."""
        inputs = _inputs(technique)
        expected = lb.apply(technique, *inputs, **SAMPLES[technique])
        first = inputs[0]
        given = (first.with_data(da.from_array(first.data, chunks=(3, 20, 20))), *inputs[1:]) if lazy else inputs
        outcome = runner.submit(Request(technique, given, SAMPLES[technique], lazy=lazy)).result(120)
        main = expected[0] if isinstance(expected, tuple) else expected
        assert_same(np.asarray(outcome.main.data), np.asarray(main.data), technique)
        assert outcome.main.geometry == main.geometry
        assert outcome.provenance["technique"] == technique

    def test_progress_ends_at_one(self, runner: Runner) -> None:
        """A job tells how far it is and ends as done."""
        job = runner.submit(Request("gaussian_blur", _inputs("gaussian_blur")))
        job.result(60)
        _wait(lambda: job.status == "done")
        assert job.fraction == 1.0

    def test_subscribers_hear_the_end(self, runner: Runner) -> None:
        """Callbacks are called until they are taken back."""
        heard: list[str] = []
        job = runner.submit(Request("gaussian_blur", _inputs("gaussian_blur")))
        end = job.subscribe(lambda j: heard.append(j.status))
        job.result(60)
        _wait(lambda: job.status == "done")
        end()

    def test_a_cancelled_job_raises(self, runner: Runner) -> None:
        """Cancel reaches the run."""

        def slow(block: Any) -> Any:
            time.sleep(0.02)
            return block

        image = da.map_blocks(
            slow, da.zeros((300, 8, 8), chunks=(1, 8, 8), dtype=np.uint8), dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)
        )
        job = runner.submit(Request("invert_intensity", (_volume(image),), lazy=False))
        job.cancel()
        with pytest.raises(CancelledError):
            job.result(60)
        assert job.status == "cancelled"

    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            (Request("no_such_technique", ()), UnknownTechniqueError),
            (Request("gaussian_blur", ()), InputError),
            (Request("gaussian_blur", (None,), {"sigma": -3.0}), (InputError, ParameterError)),
        ],
    )
    def test_errors_are_ours(self, runner: Runner, request_: Request, kind: Any) -> None:
        """What goes wrong comes back as the error it is."""
        with pytest.raises(kind):
            runner.submit(request_).result(60)


def _volume(data: Any) -> Volume:
    return Volume(data, Geometry.of("zyx", data.shape, (2, 1, 1)))


def _inputs(technique: str) -> tuple[Any, ...]:
    image = blobs(np.random.default_rng(0), (8, 40, 40), np.uint8)
    if technique in ("connected_components", "distance_transform"):
        return (_volume((image > 120).astype(np.int32)),)
    if technique == "marker_controlled_watershed":
        return _volume(image), _volume(seeds(image))
    return (_volume(image),)


def _wait(condition: Any, patience: float = 10) -> None:
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()
