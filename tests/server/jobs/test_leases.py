"""Leases: results live while somebody looks at them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.server.jobs.served import OWNER, finish, order, results, served, submit, volume, wait_for

from napari_lightbox.engine.request import Request
from napari_lightbox.errors import GoneError, NotFoundError

FRAMES = np.random.default_rng(0).integers(0, 255, (4, 8, 8)).astype(np.uint8)
LEASE = 1000.0


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(tmp_path, clock):
    with served(tmp_path, limits={"lease": LEASE}, clock=clock) as services:
        yield services


def run(services):
    job = submit(services, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 8, 8)})
    results(services, job.id)
    return services.table.get(job.id)


def test_results_go_when_the_lease_is_over(timed, clock) -> None:
    job = run(timed)
    assert job.lease_until == clock.now + LEASE
    clock.now += LEASE - 1
    timed.leases.sweep()
    assert timed.results.of(job.id)
    clock.now += 2
    timed.leases.sweep()
    assert not timed.results.of(job.id)
    with pytest.raises(GoneError):
        timed.queue.outputs(job.id)
    clock.now += 30 * 24 * 3600
    timed.leases.sweep()
    with pytest.raises(NotFoundError):
        timed.queue.get(job.id)


def test_reading_and_keeping_renew_it(timed, clock) -> None:
    read, kept, left = run(timed), run(timed), run(timed)
    clock.now += LEASE - 1
    timed.leases.touched(read.id)
    assert timed.queue.keep(kept.id).lease_until == clock.now + LEASE
    clock.now += 2
    timed.leases.sweep()
    assert [timed.table.get(job.id).gone for job in (read, kept, left)] == [False, False, True]


def test_a_lease_does_not_end_while_another_job_reads_the_result(timed, clock, kernels) -> None:
    first = run(timed)
    body, _ = order(timed, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 8, 8)})
    body["inputs"][0]["data"] = next(iter(first.outputs["outputs"].values()))["data"]
    kernels.hold(after=0)
    second = timed.queue.submit({"request": body}, OWNER)
    wait_for(lambda: kernels.places)
    clock.now += 2 * LEASE
    timed.leases.sweep()
    assert timed.results.of(first.id)
    kernels.go()
    assert finish(timed, second.id).status == "done"
    # it lets go of what it read a moment after it is seen to be done
    wait_for(lambda: (timed.leases.sweep(), not timed.results.of(first.id))[1])


def test_chunks_that_no_source_names_are_swept(timed) -> None:
    run(timed)
    (source,) = list(timed.sources)
    timed.sources.delete(source.id, OWNER)
    assert not list(timed.sources)
    assert [path for path in timed.objects.folder.rglob("*") if path.is_file()]
    timed.objects.sweep(timed.sources.in_use(), -1)
    assert not [path for path in timed.objects.folder.rglob("*") if path.is_file()]


def test_a_running_job_has_no_lease(timed, clock, kernels) -> None:
    kernels.hold(after=0)
    job = submit(timed, Request("invert_intensity", (volume(FRAMES, "tyx"),)), {3: (1, 8, 8)})
    wait_for(lambda: kernels.places)
    timed.leases.touched(job.id)
    clock.now += 10 * LEASE
    timed.leases.sweep()
    kernels.go()
    assert finish(timed, job.id).status == "done"


def test_a_lease_that_has_just_begun_is_not_written_down_again(timed, clock, monkeypatch) -> None:
    job = run(timed)
    written: list[object] = []
    monkeypatch.setattr(timed.table, "update", lambda *told, **changes: written.append(told))
    timed.leases.touched(job.id)
    assert written == []
    clock.now += LEASE / 2
    timed.leases.touched(job.id)
    assert len(written) == 1


def test_nothing_is_kept_in_mind_of_a_deleted_job(timed) -> None:
    job = run(timed)
    timed.queue.delete(job.id)
    assert not timed.leases._touched
