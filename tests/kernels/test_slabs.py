"""Work shared out between threads."""

from __future__ import annotations

import threading

import pytest

from napari_lightbox.kernels import slabs
from napari_lightbox.kernels.slabs import run_slabs


@pytest.fixture(autouse=True)
def _processors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slabs, "_PROCESSORS", 3)


@pytest.mark.parametrize(("length", "least", "expected"), [(10, 1, [3, 3, 4]), (10, 4, [5, 5]), (10, 11, [10]), (2, 1, [1, 1])])
def test_ranges_cover_everything_once(length: int, least: int, expected: list[int]) -> None:
    done: list[tuple[int, int]] = []
    run_slabs(lambda first, last: done.append((first, last)), length, least)
    assert sorted(i for part in done for i in range(*part)) == list(range(length))
    assert sorted(last - first for first, last in done) == expected


def test_a_range_is_not_split_again_and_calls_after_it_are() -> None:
    inner: dict[int, list[tuple[int, int]]] = {}

    def work(first: int, last: int) -> None:
        run_slabs(lambda a, b: inner.setdefault(first, []).append((a, b)), 9)

    run_slabs(work, 3)
    assert inner == {0: [(0, 9)], 1: [(0, 9)], 2: [(0, 9)]}
    threads: set[int] = set()
    meeting = threading.Barrier(2, timeout=30)

    def meet(*_: int) -> None:
        meeting.wait()
        threads.add(threading.get_ident())

    run_slabs(meet, 2)
    assert len(threads) == 2


def test_one_range_alone_may_split_what_it_does() -> None:
    inner: list[tuple[int, int]] = []
    run_slabs(lambda *_: run_slabs(lambda a, b: inner.append((a, b)), 9), 1)
    assert len(inner) == 3


def test_a_failure_arrives_and_leaves_no_trace() -> None:
    def fail(first: int, _: int) -> None:
        if first:
            raise ValueError(str(first))

    with pytest.raises(ValueError, match=r"^[12]$"):
        run_slabs(fail, 3)
    test_a_range_is_not_split_again_and_calls_after_it_are()
