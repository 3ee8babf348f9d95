"""A batch in threads that is interrupted or killed loses at most the files it was at."""

from __future__ import annotations

import signal
import sys

import pytest
from tests.cli.processes import (
    SLOW,
    check_blurred,
    entries,
    left_overs,
    lines,
    write_big,
    write_images,
    write_recipe,
    written_down,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def test_killed_at_any_moment(start, lightbox, tmp_path) -> None:
    """What was written down is there, right, and not done again; what was not is done by the next run."""
    files = write_images(tmp_path / "in", 40, (200, 300))
    out, recipe = tmp_path / "out", write_recipe(tmp_path)
    stamps = {}
    for moment in (3, 20):
        process = start("batch", recipe, tmp_path / "in", "-o", out, "--resume", "-j", "2")
        process.until(lambda moment=moment: lines(out) >= moment)
        process.send(signal.SIGKILL)
        assert process.said.count("finished before") == len(stamps)
        assert all((out / name).stat().st_mtime_ns == stamp for name, stamp in stamps.items())
        done = [path.name for path in out.glob("*.tif")]
        assert lines(out) <= len(done) <= lines(out) + 2
        stamps = {name: (out / name).stat().st_mtime_ns for name in written_down(out)}
    code, _, err = lightbox("batch", recipe, tmp_path / "in", "-o", out, "--resume")
    assert code == 0, err
    assert err.count("finished before") == len(stamps) >= 20
    assert all((out / name).stat().st_mtime_ns == stamp for name, stamp in stamps.items())
    assert {e["status"] for e in entries(out).values()} == {"done"}
    for path in files:
        check_blurred(path, out / path.name)
    assert not left_overs(out)


def test_ctrl_c_stops_cleanly(start, lightbox, tmp_path) -> None:
    files = write_images(tmp_path / "in", 2)
    big = write_big(tmp_path / "big.nii")
    out, recipe = tmp_path / "out", write_recipe(tmp_path, SLOW)
    process = start("batch", recipe, *files, big, "-o", out, "-j", "1", LIGHTBOX_THREADS="1")
    process.until(lambda: lines(out) == 2)
    assert process.send(signal.SIGINT) in (130, -signal.SIGINT), process.said
    assert "2 of 3 done, 1 not run" in process.said
    assert "cancelled; nothing half-written is left behind" in process.said
    assert "Traceback" not in process.said
    assert sorted(path.name for path in out.iterdir()) == [
        "image000.tif",
        "image001.tif",
        "ledger.jsonl",
        "report.csv",
        "report.json",
    ]
    assert entries(out)["big.nii"]["status"] == "not run"
