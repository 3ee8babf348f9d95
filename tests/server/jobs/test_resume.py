"""A server that was stopped, or killed, goes on where it was: what is written is not computed again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.server.jobs.served import OWNER, Kernels, finish, results, served, submit, volume, wait_for

import napari_lightbox as lb
from napari_lightbox.engine.checkpoints import checkpoints
from napari_lightbox.engine.remembered import cache, memo
from napari_lightbox.engine.request import Request
from napari_lightbox.server.jobs.table import JobTable
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.testing.compare import as_outputs, assert_same

ROOT = Path(__file__).parents[3]
FRAMES = np.random.default_rng(0).integers(0, 255, (24, 16, 16)).astype(np.uint8)
SCRIPT = """
import sys, threading, time
from pathlib import Path
import numpy as np
from napari_lightbox.engine.kernel import Kernel
from napari_lightbox.engine.request import Request
from tests.server.jobs.served import served, submit, volume

original, calls = Kernel.element, []

def element(kernel, *arguments):
    calls.append(1)
    if len(calls) > 7:
        time.sleep(600)
    return original(kernel, *arguments)

Kernel.element = element
frames = np.random.default_rng(0).integers(0, 255, (24, 16, 16)).astype(np.uint8)
with served(Path(sys.argv[1])) as services:
    submit(services, Request("gaussian_blur", (volume(frames, "tyx"),), {"sigma": 1.0}), {3: (1, 16, 16)}, key="the job")
    time.sleep(600)
"""


def forget() -> None:
    """What this process remembers, a new one would not know."""
    for kept in (cache, memo, checkpoints):
        kept.clear()


def blocks_of(kernels: Kernels) -> list[int]:
    return [mapped[0] for mapped, _, _ in kernels.places]


@pytest.mark.parametrize(
    ("technique", "parameters"), [("gaussian_blur", {"sigma": 1.0}), ("split_touching_objects", {}), ("threshold_otsu", {})]
)
def test_an_orderly_stop_in_the_middle(tmp_path, kernels: Kernels, monkeypatch, technique: str, parameters) -> None:
    on_disk: set[int] = set()
    write = ResultArray.write

    def noted(array, index, values):
        write(array, index, values)
        on_disk.add(index[0])

    monkeypatch.setattr(ResultArray, "write", noted)
    labels = technique == "split_touching_objects"
    frames = (FRAMES > 120).astype(np.int32) if labels else FRAMES
    image = volume(frames, "tyx", "labels" if labels else "image")
    expected = as_outputs(lb.apply(technique, image, over="yx", **parameters))
    request = Request(technique, (image,), parameters, over="yx")
    forget()
    kernels.hold(after=9)
    with served(tmp_path) as services:
        job = submit(services, request, {3: (1, 16, 16)})
        wait_for(lambda: len(kernels.places) > 9)
        services.leases.close()
        # tasks that run end on their own while it closes
        threading.Timer(0.2, kernels.go).start()
    assert services_row(tmp_path, job.id).status == "running"
    written = set(on_disk)
    forget()
    kernels.places.clear()
    with served(tmp_path) as services:
        found = results(services, job.id)
        for (name, value), wanted in zip(found.items(), expected, strict=True):
            assert_same(np.asarray(value.data) if isinstance(value, lb.Volume) else value, wanted, name)
    again = blocks_of(kernels)
    assert len(again) == len(set(again))
    assert set(again) | written == set(range(24))
    assert written
    assert not set(again) & written


def services_row(folder: Path, job_id: str):
    table = JobTable(folder / "jobs.sqlite")
    try:
        return table.get(job_id)
    finally:
        table.close()


def test_a_sequence_goes_on_from_its_last_state(tmp_path, monkeypatch) -> None:
    from napari_lightbox.engine.kernel import Kernel

    expected = as_outputs(lb.apply("background_subtraction_mog2", volume(FRAMES, "tyx"), history=9))
    steps: list[int] = []
    stop = 18
    original = Kernel.step

    class Killed(BaseException):
        pass

    def step(kernel, blocks, index, place, state):
        number = place.mapped[0] + index[0]
        steps.append(number)
        if number == stop:
            raise Killed
        return original(kernel, blocks, index, place, state)

    monkeypatch.setattr(Kernel, "step", step)
    request = Request("background_subtraction_mog2", (volume(FRAMES, "tyx"),), {"history": 9})
    forget()
    with served(tmp_path) as services:
        # the server dies with the task: nobody writes down how the job ended
        monkeypatch.setattr(services.queue, "_end", lambda *_: None)
        job = submit(services, request, {3: (1, 16, 16)})
        wait_for(lambda: stop in steps)
    assert services_row(tmp_path, job.id).status == "running"
    forget()
    steps.clear()
    stop = -1
    with served(tmp_path) as services:
        for (name, value), wanted in zip(results(services, job.id).items(), expected, strict=True):
            assert_same(np.asarray(value.data), wanted, name)
    assert min(steps) == 16


def test_a_killed_server_goes_on(tmp_path, kernels: Kernels) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "LIGHTBOX_THREADS": "2"}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT, env=environment)
    try:
        wait_for(lambda: len(list(tmp_path.glob("results/[!.]*/c.*"))) >= 4 or process.poll() is not None)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    written = {int(path.name.split(".")[1]) for path in tmp_path.glob("results/[!.]*/c.*")}
    assert 4 <= len(written) < 24
    with served(tmp_path) as services:
        job = services.table.by_key(OWNER, "the job")
        found = results(services, job.id)
        assert services.table.get(job.id).attempts == 2
    assert sorted(blocks_of(kernels)) == sorted(set(range(24)) - written)
    expected = lb.apply("gaussian_blur", FRAMES, axes="tyx", sigma=1.0, over="yx")
    np.testing.assert_array_equal(next(iter(found.values())).data, expected)


def test_a_job_that_ends_the_server_again_and_again_is_given_up(tmp_path) -> None:
    with served(tmp_path) as services:
        job = submit(services, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 16, 16)})
        finish(services, job.id)
        services.table.update(job.id, status="running", attempts=3)
    with served(tmp_path) as services:
        again = services.table.get(job.id)
        assert (again.status, again.error["error"]) == ("failed", "ServerError")


def test_what_is_finished_stays(tmp_path) -> None:
    with served(tmp_path) as services:
        job = submit(services, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 16, 16)})
        results(services, job.id)
    with served(tmp_path) as services:
        np.testing.assert_array_equal(next(iter(results(services, job.id).values())).data, 255 - FRAMES)


def test_a_job_whose_source_is_gone_fails_in_words(tmp_path) -> None:
    with served(tmp_path) as services:
        job = submit(services, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 16, 16)})
        finish(services, job.id)
        services.table.update(job.id, status="queued")
        for source in list(services.sources):
            services.sources.delete(source.id, OWNER)
    with served(tmp_path) as services:
        assert services.table.get(job.id).error["error"] == "NotFoundError"
