"""Calls from other threads: all are answered, in order, in turns that leave room for drawing."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from qtpy.QtCore import QObject, QTimer
from tests.widgets.conftest import process_until

from napari_lightbox.widgets.doorbell import in_gui_thread


class Door(QObject):
    """Notes what it hears, slowly."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.heard: list[Any] = []
        self.seconds = seconds

    def hear(self, word: Any) -> None:
        time.sleep(self.seconds)
        self.heard.append(word)
        if word == "bad":
            raise ValueError(word)


def ring_from_a_thread(ring: Any, words: list[Any]) -> None:
    thread = threading.Thread(target=lambda: [ring(word) for word in words])
    thread.start()
    thread.join()


@pytest.mark.usefixtures("qapp")
def test_all_are_heard_in_order() -> None:
    door = Door()
    ring_from_a_thread(in_gui_thread(door.hear), list(range(500)))
    assert not door.heard
    process_until(lambda: len(door.heard) == 500)
    assert door.heard == list(range(500))


@pytest.mark.usefixtures("qapp")
def test_the_window_lives_between_long_answers() -> None:
    door, beats = Door(0.02), []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(len(door.heard)))
    timer.start(1)
    ring_from_a_thread(in_gui_thread(door.hear), list(range(10)))
    process_until(lambda: len(door.heard) == 10)
    timer.stop()
    assert set(range(1, 10)) <= set(beats), "the loop turned after each of them"


def test_one_that_fails_does_not_silence_the_others(qtbot) -> None:
    door = Door()
    with qtbot.capture_exceptions() as raised:
        ring_from_a_thread(in_gui_thread(door.hear), [1, "bad", 2])
        process_until(lambda: door.heard == [1, "bad", 2])
    assert [str(error[1]) for error in raised] == ["bad"]


@pytest.mark.usefixtures("qapp")
def test_who_is_gone_is_not_called() -> None:
    door, other = Door(), Door()
    heard = door.heard
    ring_from_a_thread(in_gui_thread(door.hear), [1])
    del door
    ring_from_a_thread(in_gui_thread(other.hear), [2])
    process_until(lambda: other.heard == [2])
    assert not heard
