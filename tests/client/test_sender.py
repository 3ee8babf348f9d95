"""Chunks are sent once, those that are waited for first, and a slow array holds up nobody else."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from dataclasses import dataclass, field

import pytest

from napari_lightbox.client.sender import THREADS, Sender
from napari_lightbox.errors import ConnectionLostError


@dataclass(eq=False)
class Array:
    """Stands in for an array whose chunks take as long as a test wants."""

    id: str
    gate: threading.Event = field(default_factory=threading.Event)
    through: threading.Event = field(default_factory=threading.Event)
    sent: list[int] = field(default_factory=list)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    error: BaseException | None = None
    broken: frozenset[int] = frozenset()
    bunch: int = 1
    bunches: list[list[int]] = field(default_factory=list)
    kind: str = "frames"
    expected: list[int] = field(default_factory=list)

    def expect(self, bunch) -> None:
        self.expected.append(bunch)

    def send(self, connection, chunks) -> None:
        self.started.release()
        self.gate.wait(30)
        self.bunches.append(list(chunks))
        if self.error is not None and (not self.broken or self.broken & set(chunks)):
            raise self.error
        self.sent += chunks
        if 99 in chunks:
            self.through.set()


@dataclass(eq=False)
class Job:
    is_over: bool = False
    errors: list[BaseException] = field(default_factory=list)
    told: threading.Event = field(default_factory=threading.Event)

    def fail(self, error) -> None:
        self.errors.append(error)
        self.told.set()


def finish(sender: Sender, array: Array, job: Job) -> None:
    """Let everything through and wait until it is: chunk 99 comes after all that was there before."""
    sender.send(array, [99], job, urgent=False)
    array.gate.set()
    assert array.through.wait(30)


def test_what_is_waited_for_goes_first_and_everything_once() -> None:
    sender, array, job = Sender(None, threads=1), Array("a"), Job()
    sender.send(array, range(6), job, urgent=False)
    assert array.started.acquire(timeout=30)
    sender.send(array, [4, 5], job, urgent=True)
    sender.send(array, [0, 5], Job(), urgent=True)
    sender.send(array, range(6), job, urgent=False)
    finish(sender, array, job)
    assert array.sent == [0, 4, 5, 1, 2, 3, 99]
    sender.close()


def test_small_chunks_go_together_but_urgent_ones_wait_for_no_other() -> None:
    sender, array, job = Sender(None, threads=1), Array("a", bunch=4), Job()
    sender.send(array, [50], job, urgent=False)
    assert array.started.acquire(timeout=30)
    sender.send(array, range(6), job, urgent=False)
    sender.send(array, [4, 5], job, urgent=True)
    finish(sender, array, job)
    assert array.bunches == [[50], [4, 5], [0, 1, 2, 3], [99]]
    sender.close()


def test_an_array_begins_as_those_of_its_kind_ended() -> None:
    sender, job = Sender(None, threads=1), Job()
    first, second = Array("a", bunch=4), Array("b", bunch=9)
    other, broken, after = Array("c", kind="other"), Array("d", bunch=7, kind="broken"), Array("e", kind="broken")
    broken.error = OSError("gone")
    for array in (first, second, other):
        finish(sender, array, job)
    broken.gate.set()
    sender.send(broken, range(6), job, urgent=False)
    assert job.told.wait(30)
    finish(sender, after, job)
    assert [array.expected[0] for array in (first, second, other, broken, after)] == [1, 4, 1, 1, 1]
    sender.close()


def test_a_broken_chunk_takes_none_of_its_bunch_with_it() -> None:
    array = Array("a", error=OSError("gone"), broken=frozenset([2]), bunch=8)
    sender, hit, spared = Sender(None, threads=1), Job(), Job()
    sender.send(array, [9], spared, urgent=True)
    assert array.started.acquire(timeout=30)
    sender.send(array, [1, 3], spared, urgent=True)
    sender.send(array, [2], hit, urgent=True)
    finish(sender, array, spared)
    assert ([str(e) for e in hit.errors], spared.errors) == (["gone"], [])
    assert sorted(array.sent) == [1, 3, 9, 99]
    assert array.bunches[1:] == [[1, 3, 2], [1], [3], [2], [99]]
    sender.close()


def test_a_bunch_that_failed_is_not_tried_on_for_a_job_that_is_over() -> None:
    array, job = Array("a", error=OSError("no room"), bunch=8), Job()
    told, job.fail = job.fail, lambda error: (told(error), setattr(job, "is_over", True))
    sender = Sender(None, threads=1)
    sender.send(array, range(5), job, urgent=True)
    array.gate.set()
    assert job.told.wait(30)
    other = Job()
    sender.send(array, [99], other, urgent=True)
    assert other.told.wait(30)
    assert (array.bunches, len(job.errors)) == ([[0, 1, 2, 3, 4], [0], [99]], 1)
    sender.close()


def test_a_lost_connection_is_not_tried_chunk_by_chunk() -> None:
    array, job = Array("a", error=ConnectionLostError("server", "is away", "Start it again"), bunch=8), Job()
    sender = Sender(None, threads=1)
    sender.send(array, range(5), job, urgent=True)
    array.gate.set()
    assert job.told.wait(30)
    assert (array.bunches, len(job.errors)) == ([[0, 1, 2, 3, 4]], 1)
    sender.close()


def test_a_slow_array_holds_up_nobody_else() -> None:
    sender, slow, quick, job = Sender(None), Array("slow"), Array("quick"), Job()
    quick.gate.set()
    sender.send(slow, range(50), job, urgent=True)
    for _ in range(THREADS):
        assert slow.started.acquire(timeout=30)
    sender.send(quick, range(5), job, urgent=False)
    for _ in range(5):
        assert quick.started.acquire(timeout=30)
    assert not slow.started.acquire(blocking=False)
    slow.gate.set()
    sender.close()


def test_threads_that_have_not_begun_yet_are_not_counted_on_twice() -> None:
    sender, slow, quick, job = Sender(None), Array("slow"), Array("quick"), Job()
    quick.gate.set()
    with sender._change:  # no thread takes anything before both have asked
        sender.send(slow, range(2), job, urgent=True)
        sender.send(quick, [0], job, urgent=True)
    assert quick.started.acquire(timeout=30)
    slow.gate.set()
    sender.close()


def test_what_nobody_needs_any_more_is_not_sent() -> None:
    sender, array, gone, other = Sender(None, threads=1), Array("a"), Job(), Job()
    sender.send(array, range(4), gone, urgent=False)
    sender.send(array, [2], other, urgent=False)
    assert array.started.acquire(timeout=30)
    gone.is_over = True
    finish(sender, array, other)
    assert array.sent == [0, 2, 99]
    sender.close()


def test_whoever_needs_a_chunk_hears_why_it_cannot_be_sent() -> None:
    sender, array, jobs = Sender(None), Array("a", error=OSError("gone")), [Job(), Job()]
    for job in jobs:
        sender.send(array, [0], job, urgent=True)
    array.gate.set()
    for job in jobs:
        assert job.told.wait(30)
        assert [str(e) for e in job.errors] == ["gone"]
    sender.close()


@pytest.mark.parametrize("error", [None, ValueError("no")])
def test_an_idle_sender_keeps_no_array_and_no_job(error: BaseException | None) -> None:
    sender, array, job = Sender(None), Array("a", error=error), Job()
    array.gate.set()
    # a finished job leaves chunks in the queue that nobody needs any more
    sender.send(array, range(20), job, urgent=False)
    job.is_over = True
    sender.send(array, range(20, 30), job, urgent=False)
    seen = weakref.ref(array), weakref.ref(job)
    del array, job
    end = time.monotonic() + 30
    while any(one() is not None for one in seen) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
    assert [one() for one in seen] == [None, None]
    sender.close()
