"""Python's settings while work goes on."""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.local import LocalRunner
from napari_lightbox.engine.request import Request
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.courtesy import window_first
from napari_lightbox.widgets.worker import Watch

USUAL = (700, 10, 10)
GENTLE = (700, 10, 1000)


@pytest.fixture(autouse=True)
def _usual(qtbot):
    qtbot.waitUntil(lambda: gc.get_threshold()[2] < GENTLE[2])  # work of an earlier test may still be at rest
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(*USUAL)
    sys.setswitchinterval(0.005)
    yield
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def now() -> tuple[tuple[int, int, int], float]:
    return gc.get_threshold(), round(sys.getswitchinterval(), 5)  # kept in whole microseconds


def test_holds_while_any_work_goes_on_and_ends_with_the_last() -> None:
    first, second = window_first(), window_first()
    assert now() == (GENTLE, 0.001)
    first.close()
    first.close()
    assert now() == (GENTLE, 0.001)
    second.close()
    assert now() == (USUAL, 0.005)


def test_a_shorter_interval_of_the_user_stays() -> None:
    sys.setswitchinterval(0.0002)
    work = window_first()
    assert now() == (GENTLE, 0.0002)
    work.close()
    assert now() == (USUAL, 0.0002)


@pytest.mark.parametrize("ending", ["answer", "failure", "release"])
def test_a_task_is_courteous_from_start_to_end(qtbot, ending: str) -> None:
    go = threading.Event()

    def call(_):
        go.wait(30)
        if ending == "failure":
            raise ValueError("no")

    task = Task(call, "courtesy")
    assert now() == (USUAL, 0.005)
    task.start()
    assert now() == (GENTLE, 0.001)
    if ending == "release":
        task.release()
        go.set()
    else:
        at_the_end = []
        task.finished.connect(lambda _: at_the_end.append(now()))
        task.failed.connect(lambda _: at_the_end.append(now()))
        with qtbot.waitSignal(task.failed if ending == "failure" else task.finished):
            go.set()
        assert at_the_end == [(GENTLE, 0.001)], "what came of it is shown before garbage is collected"
    qtbot.waitUntil(lambda: now() == (USUAL, 0.005))


@pytest.mark.parametrize("ending", ["answer", "failure", "release"])
def test_a_watched_job_is_courteous_to_its_end(qtbot, ending: str) -> None:
    runner = LocalRunner(1)
    parameters = {"sigma": 1.0} if ending != "failure" else {"sigma": -1.0}
    job = runner.submit(Request("gaussian_blur", (Volume(np.zeros((8, 8)), Geometry.of("yx", (8, 8))),), parameters))
    watch = Watch(job)
    at_the_end = []
    watch.finished.connect(lambda _: at_the_end.append(now()))
    watch.failed.connect(lambda _: at_the_end.append(now()))
    assert now() == (GENTLE, 0.001)
    if ending == "release":
        watch.release()
    else:
        qtbot.waitUntil(lambda: not watch.running)
        assert at_the_end == [(GENTLE, 0.001)], "what came of it is shown before garbage is collected"
    qtbot.waitUntil(lambda: now() == (USUAL, 0.005))
    runner.close()


def test_a_watch_that_is_let_go_ends_its_courtesy(qtbot) -> None:
    runner = LocalRunner(1)
    job = runner.submit(Request("gaussian_blur", (Volume(np.zeros((8, 8)), Geometry.of("yx", (8, 8))),), {"sigma": 1.0}))
    watches = [Watch(job)]
    qtbot.waitUntil(lambda: not watches[0].running)
    watches.clear()
    gc.collect()
    qtbot.waitUntil(lambda: now() == (USUAL, 0.005))
    runner.close()
