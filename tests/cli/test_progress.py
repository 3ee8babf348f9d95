from __future__ import annotations

import io

import pytest

from napari_lightbox.cli import batch_tally, progress
from napari_lightbox.cli.progress import ProgressBar
from napari_lightbox.io.batch_report import Entry


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_short_work_draws_nothing():
    stream = Terminal()
    bar = ProgressBar("blur", stream)
    for step in range(11):
        bar.update(step / 10)
    bar.close()
    assert stream.getvalue() == ""


def test_long_work_draws_one_line_and_takes_it_away(monkeypatch):
    clock = iter([0.0, 0.5, 1.5, 1.55, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = Terminal()
    bar = ProgressBar("blur", stream)
    for fraction in (0.1, 0.5, 0.6, 1.5):
        bar.update(fraction, "3 of 6 blocks")
    drawn = stream.getvalue().split("\r")[1:]
    assert len(drawn) == 2  # not in the first second, and not within a tenth of the one before
    assert "50%" in drawn[0]
    assert "3 of 6 blocks" in drawn[0]
    assert "100%" in drawn[1]
    bar.close()
    assert stream.getvalue().endswith("\r" + " " * len(drawn[1].rstrip()) + "\r")


def test_a_file_gets_no_bar(monkeypatch):
    clock = iter([0.0, 5.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    ProgressBar("blur", stream).update(0.5)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(5.4, "   5 s"), (99, "  99 s"), (600, "  10 min"), (5990, "1 h 40 min"), (360_000, "100 h 00 min")]
)
def test_times_are_said_in_the_unit_that_suits(seconds, words):
    assert progress.in_words(seconds) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0, ""), (1e-5, ""), (0.001, ", 3.6/h"), (0.02, ", 1.2/min"), (0.5, ", 30/min"), (2.5, ", 2.5/s"), (40, ", 40/s")],
)
def test_rates_too(rate, words):
    assert batch_tally.in_words(rate) == words


def test_a_batch_shows_files_done_failed_and_left(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    terminal = Terminal()
    monkeypatch.setattr(batch_tally.sys, "stderr", terminal)
    with batch_tally.Tally(before=10, to_do=40) as tally:
        for number in range(10):
            now[0] += 2
            tally.add(f"f{number}", Entry("failed" if number == 3 else "done", 2.0, message="why" if number == 3 else ""))
        now[0] += 1
        tally.show(0.5)
        bar = terminal.getvalue().rpartition("\r")[2]
        assert "10 of 40 files, 1 failed, 29/min" in bar
        assert "26%" in bar
        assert "59 s left" in bar
    said = terminal.getvalue().splitlines()
    assert "[14/50] f3: why" in said[3]
    assert "[20/50] f9: 2.0 s" in said[9]
    assert terminal.getvalue().endswith(" \r")
