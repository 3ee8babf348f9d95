"""Order of blocks: each once, the region first, then what somebody waits for, then C order."""

from __future__ import annotations

import threading

import hypothesis.strategies as st
from hypothesis import given

from napari_lightbox.server.jobs.wishes import Order, Wishes

NUMBERS = st.integers(0, 29)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 7)),
        st.tuples(st.just("first"), st.lists(NUMBERS, max_size=8)),
        st.tuples(st.just("ask"), NUMBERS),
        st.tuples(st.just("mark"), st.lists(NUMBERS, max_size=4)),
        st.tuples(st.just("back"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(STEPS)
def test_every_number_comes_exactly_once(steps) -> None:
    order, marked, taken = Order(30), set(), []
    for name, value in steps:
        if name == "take":
            taken += order.take(value)
        elif name == "first":
            order.first(value)
        elif name == "ask":
            order.ask(value)
        elif name == "mark":
            marked.update(set(value) - set(taken))
            order.mark(value)
        else:
            order.give_back(taken[-value:])
            del taken[-value:]
    assert len(order) == 30 - len(marked) - len(taken)
    while numbers := order.take(30):
        taken += numbers
    assert sorted([*taken, *marked]) == list(range(30))
    assert not len(order)
    assert order.take(1) == []


def test_the_region_comes_first_then_what_is_waited_for_then_the_rest() -> None:
    order = Order(10)
    order.ask(8)
    order.first([5, 6])
    # what somebody waits for does not wait for others
    assert [order.take(4) for _ in range(2)] == [[5, 6, 8], [0, 1, 2, 3]]
    order.ask(9)
    order.ask(0)
    order.first([3])
    order.first([4, 7])
    assert [order.take(2) for _ in range(3)] == [[4, 7], [9], []]


def test_a_million_blocks_from_many_threads() -> None:
    order, seen, lock = Order(10**6), bytearray(10**6), threading.Lock()
    order.first(range(500_000, 600_000))

    def work() -> None:
        while numbers := order.take(1000):
            with lock:
                for number in numbers:
                    seen[number] += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {1}


class Heard:
    def __init__(self) -> None:
        self.told: list[object] = []

    def first(self, region) -> None:
        self.told.append(region)

    def ask(self, array, index) -> None:
        self.told.append((array, index))


def test_wishes_reach_the_job_that_runs_and_wait_for_the_one_that_does_not() -> None:
    wishes, heard = Wishes(), Heard()
    wishes.first("a", [[0, 1]])
    wishes.first("a", [[2, 3]])
    wishes.ask("array", (0,))
    wishes.open("a", ["array"], heard)
    wishes.ask("array", [1])
    wishes.ask("another", (1,))
    wishes.first("a", [[4, 5]])
    wishes.close("a")
    wishes.ask("array", (2,))
    assert heard.told == [[[2, 3]], ("array", (1,)), [[4, 5]]]
