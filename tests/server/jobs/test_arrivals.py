"""Waiting for chunks: until they are there, until somebody stops it, or until the client must be gone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.server.jobs.served import wait_for

from napari_lightbox.engine.control import Control
from napari_lightbox.errors import CancelledError, ConnectionLostError
from napari_lightbox.server.jobs.arrivals import Arrivals


class Present:
    """Sources of which some chunks are there."""

    def __init__(self, *there: int) -> None:
        self.there = set(there)

    def missing(self, source: str, chunks) -> list[int]:
        return [chunk for chunk in chunks if chunk not in self.there]


class Told:
    """Events that are written down."""

    def __init__(self) -> None:
        self.wanted: list[int] = []
        self.withdrawn: list[int] = []

    def publish(self, job, event) -> None:
        self.wanted += event.data["chunks"]

    def withdraw(self, job, source, chunks) -> None:
        self.withdrawn += chunks


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def make(*there: int) -> tuple[Arrivals, Present, Told, Clock]:
    sources, told, clock = Present(*there), Told(), Clock()
    return Arrivals(sources, told, 100.0, clock), sources, told, clock


def test_only_what_is_missing_is_wanted_and_waited_for(pool) -> None:
    arrivals, _, told, _ = make(1)
    waiting = pool.submit(arrivals.wait, "job", "s", [1, 2, 3], Control())
    wait_for(lambda: told.wanted == [2, 3])
    assert [e.data for e in arrivals.wanted("job")] == [{"source": "s", "chunks": [2, 3]}]
    arrivals.arrived("s", [2])
    arrivals.arrived("other", [3])
    assert not waiting.done()
    arrivals.arrived("s", [3])
    waiting.result(20)
    assert arrivals.wanted("job") == []
    assert told.withdrawn == [2, 3]


def test_what_is_there_is_not_waited_for() -> None:
    arrivals, _, told, _ = make(1, 2)
    arrivals.wait("job", "s", [1, 2], Control())
    assert told.wanted == []


def test_a_chunk_that_comes_between_two_looks_is_noticed(pool) -> None:
    arrivals, sources, _, _ = make()
    original = sources.missing

    def missing(source: str, chunks) -> list[int]:
        found = original(source, chunks)
        arrivals.arrived("s", [7])
        return found

    sources.missing = missing
    pool.submit(arrivals.wait, "job", "s", [7], Control()).result(20)


def test_a_chunk_that_came_another_way_is_found(pool) -> None:
    arrivals, sources, told, _ = make()
    waiting = pool.submit(arrivals.wait, "job", "s", [4], Control())
    wait_for(lambda: told.wanted)
    sources.there.add(4)
    waiting.result(20)


def test_a_cancel_ends_the_wait(pool) -> None:
    arrivals, _, told, _ = make()
    control = Control()
    waiting = pool.submit(arrivals.wait, "job", "s", [1], control)
    wait_for(lambda: told.wanted)
    control.cancel()
    with pytest.raises(CancelledError):
        waiting.result(20)


def test_a_client_that_sends_nothing_is_gone_and_one_that_comes_back_is_not(pool) -> None:
    arrivals, _, told, clock = make()
    waiting = pool.submit(arrivals.wait, "job", "s", [1, 2], Control())
    wait_for(lambda: told.wanted)
    for _ in range(3):
        clock.now += 90
        arrivals.seen("job")
    clock.now += 90
    arrivals.arrived("s", [1])
    clock.now += 90
    assert not waiting.done()
    clock.now += 20
    with pytest.raises(ConnectionLostError, match="1 chunks"):
        waiting.result(20)


def test_two_jobs_wait_for_the_same_chunk(pool) -> None:
    arrivals, _, told, _ = make()
    waiting = [pool.submit(arrivals.wait, job, "s", [1], Control()) for job in ("a", "b")]
    wait_for(lambda: told.wanted == [1, 1])
    arrivals.arrived("s", [1])
    for one in waiting:
        one.result(20)


def test_two_waits_of_one_job_for_the_same_chunk(pool) -> None:
    arrivals, sources, told, _ = make()
    ready = threading.Barrier(2)

    def wait() -> None:
        ready.wait(20)
        arrivals.wait("a", "s", [1], Control())

    waiting = [pool.submit(wait) for _ in range(2)]
    wait_for(lambda: told.wanted == [1])
    sources.there.add(1)
    arrivals.arrived("s", [1])
    for one in waiting:
        one.result(20)
