"""The queue: who comes next, who may not, and what becomes of jobs that are not wanted any more."""

from __future__ import annotations

import numpy as np
import pytest
from tests.server.jobs.served import OWNER, Kernels, finish, order, results, served, submit, volume, wait_for

from napari_lightbox.engine.request import Request
from napari_lightbox.errors import NotFoundError, QuotaError, UnknownTechniqueError, WireError

FRAMES = np.random.default_rng(0).integers(0, 255, (6, 8, 8)).astype(np.uint8)


def run(services, number: int = 0, **options):
    return submit(services, Request("invert_intensity", (volume(FRAMES + np.uint8(number), "tyx"),)), {3: (1, 8, 8)}, **options)


def started(services) -> list[str]:
    jobs = [job for job in services.table.list() if job.started is not None]
    return [job.id for job in sorted(jobs, key=lambda job: job.started)]


def test_urgent_jobs_come_first_then_old_ones(tmp_path, kernels: Kernels) -> None:
    kernels.hold(after=0)
    with served(tmp_path, workers=1) as services:
        blocking = run(services, 0)
        wait_for(lambda: kernels.places)
        rest = [run(services, n, priority=p) for n, p in enumerate((5, 9, 0, 5, 0), 1)]
        kernels.go()
        for job in rest:
            finish(services, job.id)
        assert started(services) == [blocking.id, *(rest[n].id for n in (2, 4, 0, 3, 1))]


def test_one_owner_leaves_room_for_others(tmp_path, kernels: Kernels) -> None:
    kernels.hold(after=0)
    with served(tmp_path, workers=3, share=1) as services:
        mine = [run(services, n) for n in range(3)]
        other = run(services, 4, owner="bob")
        wait_for(lambda: services.table.get(other.id).status == "running")
        assert [services.table.get(job.id).status for job in mine] == ["running", "queued", "queued"]
        kernels.go()
        for job in (*mine, other):
            assert finish(services, job.id).status == "done"


def test_nobody_queues_without_end(tmp_path, kernels: Kernels) -> None:
    kernels.hold(after=0)
    with served(tmp_path, limits={"jobs": 2}) as services:
        first = run(services, 0)
        run(services, 1, key="second")
        with pytest.raises(QuotaError, match="2 already"):
            run(services, 2)
        assert run(services, 1, key="second").key == "second"
        run(services, 3, owner="bob")
        kernels.go()
        finish(services, first.id)
        wait_for(lambda: services.table.count_unfinished(OWNER) == 0)
        run(services, 2)


def test_the_same_key_is_the_same_job(services) -> None:
    first = run(services, 0, key="k")
    assert run(services, 0, key="k").id == first.id
    results(services, first.id)
    assert run(services, 0, key="k").id == first.id
    assert run(services, 0, key="k", owner="bob").id != first.id
    assert len(services.table.list(OWNER)) == 1


def test_what_cannot_run_is_refused_at_once(services) -> None:
    body, _ = order(services, Request("invert_intensity", (volume(FRAMES, "tyx"),)))
    wrong = [
        ({**body, "technique": "no_such"}, UnknownTechniqueError),
        ({**body, "inputs": [{**body["inputs"][0], "data": "source:" + "0" * 32}]}, NotFoundError),
        ({**body, "inputs": [{**body["inputs"][0], "data": "file:/etc/passwd"}]}, WireError),
        ({**body, "inputs": [{"kind": "spell"}]}, WireError),
        ({**body, "inputs": [{"kind": "volume"}]}, WireError),
        ({"technique": "invert_intensity"}, WireError),
    ]
    for request, kind in wrong:
        with pytest.raises(kind):
            services.queue.submit({"request": request}, OWNER)
    with pytest.raises(NotFoundError):
        services.queue.submit({"request": body}, "bob")
    assert not services.table.list()


def test_a_queued_job_is_cancelled_at_once(tmp_path, kernels: Kernels) -> None:
    kernels.hold(after=0)
    with served(tmp_path, workers=1) as services:
        running = run(services, 0)
        wait_for(lambda: kernels.places)
        waiting = run(services, 1)
        services.queue.cancel(waiting.id)
        assert services.queue.get(waiting.id).status == "cancelled"
        kernels.go()
        finish(services, running.id)
        assert services.table.get(waiting.id).started is None
        services.queue.cancel(running.id)
        assert services.queue.get(running.id).status == "done"


def test_a_deleted_job_leaves_nothing(services, kernels: Kernels) -> None:
    done = run(services, 0)
    results(services, done.id)
    kernels.hold(after=0)
    running = run(services, 1)
    wait_for(lambda: kernels.places)
    for job in (done, running):
        services.queue.delete(job.id)
    kernels.go()
    wait_for(lambda: not services.table.list())
    wait_for(lambda: not list(services.results))
    with pytest.raises(NotFoundError):
        services.queue.get(done.id)


def test_sources_are_held_for_a_job_and_let_go_after_it(services, kernels: Kernels) -> None:
    kernels.hold(after=0)
    job = run(services, 0)
    wait_for(lambda: kernels.places)
    assert services.sources.expire(-1) == []
    kernels.go()
    results(services, job.id)
    assert len(services.sources.expire(-1)) == 1


def test_how_far_a_job_is(services, kernels: Kernels) -> None:
    kernels.hold(after=3)
    job = run(services, 0)
    latest = wait_for(lambda: now if (now := services.queue.get(job.id)).fraction >= 0.5 else None)
    assert latest.status == "running"
    assert "of 6 blocks" in latest.message
    kernels.go()
    assert finish(services, job.id).fraction == 1.0
