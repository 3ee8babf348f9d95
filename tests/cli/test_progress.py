from __future__ import annotations

import io

from napari_lightbox.cli import progress
from napari_lightbox.cli.progress import ProgressBar


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
