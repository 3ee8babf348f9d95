"""Undo and redo keep a consistent stack whatever the actions do."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.history import History


class Step:
    def __init__(self, trace: list, title: str, nbytes: int = 1, fails: str = "") -> None:
        self.trace, self.title, self.nbytes, self.fails, self.gone = trace, title, nbytes, fails, False

    def undo(self) -> None:
        if self.fails == "undo":
            raise RuntimeError("no undo")
        self.trace.remove(self.title)

    def redo(self) -> None:
        if self.fails == "redo":
            raise RuntimeError("no redo")
        self.trace.append(self.title)


class Pixels:
    title = "pixels"

    def __init__(self, array: np.ndarray, delta: Delta) -> None:
        self.array, self.delta, self.nbytes = array, delta, delta.nbytes

    def undo(self) -> None:
        self.delta.undo(self.array)

    def redo(self) -> None:
        self.delta.redo(self.array)


@given(st.lists(st.sampled_from(["paint", "undo", "redo"]), max_size=60), st.randoms(use_true_random=False))
def test_any_sequence_leads_where_a_list_of_states_leads(moves, random) -> None:
    array, history = np.zeros((6, 6), np.int32), History()
    states, now = [array.copy()], 0
    for move in moves:
        if move == "paint":
            after = array.copy()
            after[random.randrange(6), : random.randrange(1, 6)] = random.randrange(9)
            delta = Delta.between(array, after)
            if delta is None:
                continue
            delta.redo(array)
            history.push(Pixels(array, delta))
            states[now + 1 :] = [after]
            now += 1
        elif move == "undo":
            assert (history.undo() is not None) == (now > 0)
            now = max(now - 1, 0)
        else:
            assert (history.redo() is not None) == (now < len(states) - 1)
            now = min(now + 1, len(states) - 1)
        np.testing.assert_array_equal(array, states[now])


def test_the_oldest_goes_when_memory_is_full_but_never_the_newest() -> None:
    trace: list[str] = ["a", "b", "c"]
    history = History(limit_bytes=25)
    for title in trace:
        history.push(Step(trace, title, 10))
    assert history.nbytes == 20
    assert [history.undo().title, history.undo().title, history.undo()] == ["c", "b", None]
    assert trace == ["a"]
    history.push(Step(trace, "big", 1000))
    assert history.undo_title == "big"
    assert history.redo_title is None
    assert history.nbytes == 1000


def test_a_failing_action_stays_where_it_is() -> None:
    trace = ["a", "b"]
    history = History()
    history.push(Step(trace, "a"))
    bad = Step(trace, "b", fails="undo")
    history.push(bad)
    with pytest.raises(RuntimeError):
        history.undo()
    assert (history.undo_title, history.redo_title, history.busy) == ("b", None, False)
    bad.fails = "redo"
    history.undo()
    with pytest.raises(RuntimeError):
        history.redo()
    assert (history.undo_title, history.redo_title) == ("a", "b")
    bad.fails = ""
    history.redo()
    assert trace == ["a", "b"]


def test_a_group_is_one_step_and_fails_as_one() -> None:
    trace = ["a", "b", "c"]
    history = History()
    steps = [Step(trace, t) for t in trace]

    def gesture() -> None:
        with history.group("gesture"), history.group("inner"):
            for step in steps:
                history.push(step)
            assert history.undo() is None  # not in the middle of a gesture
            raise ValueError

    with pytest.raises(ValueError):
        gesture()
    assert history.undo_title == "gesture"
    steps[0].fails = "undo"
    with pytest.raises(RuntimeError):
        history.undo()
    assert sorted(trace) == ["a", "b", "c"]  # b and c were taken back and done again
    steps[0].fails = ""
    history.undo()
    assert trace == []
    history.redo()
    assert trace == ["a", "b", "c"]
    with history.group("empty"):
        pass
    assert history.undo_title == "gesture"


def test_what_an_action_pushes_while_undone_belongs_to_it() -> None:
    history, trace = History(), ["a"]

    class Echo(Step):
        def undo(self) -> None:
            super().undo()
            history.push(Step(trace, "echo"))

    history.push(Echo(trace, "a"))
    history.undo()
    assert (history.undo_title, history.redo_title) == (None, "a")


def test_what_was_deleted_is_skipped_and_not_kept_alive() -> None:
    history, trace = History(), ["a", "b", "c"]
    steps = [Step(trace, t) for t in trace]
    history.push(steps[0])
    with history.group("both"):
        history.push(steps[1])
        history.push(steps[2])
    steps[2].gone = True
    history.undo()
    assert trace == ["a", "c"]
    history.redo()
    steps[1].gone = True
    assert history.undo_title == "a"
    ghost = weakref.ref(steps[2])
    history.discard_gone()
    del steps[1:]
    gc.collect()
    assert ghost() is None
    assert history.undo().title == "a"


def test_listeners_hear_of_every_change_until_they_stop() -> None:
    history, heard = History(), []
    end = history.subscribe(lambda: heard.append(history.undo_title))
    history.push(Step(["a"], "a"))
    history.undo()
    history.clear()
    end()
    history.push(Step([], "b"))
    assert heard == ["a", None, None]
