"""What a ledger acknowledged is there again, wherever a crash cut it off."""

from __future__ import annotations

import os
import signal
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.cli.batch_ledger import Ledger, fingerprint_of, read_lines
from napari_lightbox.errors import WriteError
from napari_lightbox.io.batch_report import Entry

names = st.text(st.sampled_from(string.ascii_letters + 'ä"\\\n\u2028 {}'), min_size=1, max_size=8) | st.just("/a/\udcff.tif")
texts = st.text(max_size=12)
entries = st.builds(
    Entry, st.sampled_from(["done", "failed"]), st.floats(0, 1e6), st.lists(texts, max_size=3).map(tuple), texts, texts
)
histories = st.lists(st.tuples(names, entries), min_size=1, max_size=8)


def written(path: Path, history) -> bytes:
    with Ledger(path) as ledger:
        for source, entry in history:
            ledger.add(source, entry)
        assert ledger.entries == dict(history)
    return path.read_bytes()


@given(histories, st.data())
def test_a_cut_off_ledger_has_every_whole_line_and_goes_on(tmp_path_factory, history, data) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    whole = written(path, history)
    cut = data.draw(st.integers(0, len(whole)))
    tail = data.draw(st.sampled_from([b"", b"\0" * 40, b'{"input": ', b"\xff\xfe", b"[" * 5000]))
    path.write_bytes(whole[:cut] + tail)
    ends = [number for number, byte in enumerate(whole, 1) if byte == ord("\n")]
    kept = sum(end <= cut for end in ends)
    # all of a line but its end may have come through
    possible = [dict(history[:kept])] + ([dict(history[: kept + 1])] if not tail and cut + 1 in ends else [])
    with Ledger(path) as ledger:
        assert ledger.entries in possible
        before = dict(ledger.entries)
        ledger.add("/new.tif", Entry("done", 1.0))
        ledger.add("/newer.tif", Entry("failed", 2.0, message="why"))
    with Ledger(path) as ledger:
        assert ledger.entries == before | {"/new.tif": Entry("done", 1.0), "/newer.tif": Entry("failed", 2.0, message="why")}


@given(histories, st.data())
def test_a_damaged_line_takes_no_other_with_it(tmp_path_factory, history, data) -> None:
    whole = written(tmp_path_factory.mktemp("ledger") / "ledger.jsonl", history).split(b"\n")[:-1]
    number = data.draw(st.integers(0, len(whole) - 1))
    whole[number] = data.draw(st.binary(max_size=40)).replace(b"\n", b"")
    assert read_lines(whole) == dict(history[:number] + history[number + 1 :])


def test_only_what_is_done_unchanged_and_there_is_finished(tmp_path) -> None:
    result = tmp_path / "result.tif"
    result.touch()
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.add("a", Entry("done", 1.0, (str(result),), "", "f"))
        assert ledger.finished("a", "f") == Entry("done", 1.0, (str(result),), "", "f")
        assert ledger.finished("a", "g") is None
        assert ledger.finished("b", "f") is None
        ledger.add("a", Entry("failed", 1.0, (), "why", "f"))
        assert ledger.finished("a", "f") is None
        ledger.add("a", Entry("done", 1.0, (str(result),), "", "f"))
        result.unlink()
        assert ledger.finished("a", "f") is None


@pytest.mark.skipif(sys.platform == "win32", reason="the lock of a process that was killed is the system's own there")
def test_one_batch_at_a_time(tmp_path) -> None:
    path = tmp_path / "ledger.jsonl"
    code = (
        "from pathlib import Path; from napari_lightbox.cli.batch_ledger import Ledger; "
        f"ledger = Ledger(Path({str(path)!r})); print('held', flush=True); input()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WriteError, match="in use by another batch"):
            Ledger(path)
    finally:
        other.send_signal(signal.SIGKILL)
        other.communicate()
    Ledger(path).close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_full_disk_is_said(tmp_path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.add("a", Entry("done", 1.0))
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, ledger._file)
        os.close(full)
        with pytest.raises(WriteError, match="no space left"):
            ledger.add("b", Entry("done", 1.0))
        assert list(ledger.entries) == ["a"]


def test_a_fingerprint_follows_all_that_matters(tmp_path) -> None:
    image, seeds, folder = tmp_path / "i.tif", tmp_path / "s.tif", tmp_path / "x.zarr"
    folder.mkdir()
    for path in (image, seeds, folder / "0"):
        path.write_bytes(b"abc")
    inputs, target = [str(image), str(seeds), str(folder)], tmp_path / "r.tif"

    def now() -> str:
        return fingerprint_of("recipe", inputs, target)

    seen = [now()]
    assert now() == seen[0]
    seen += [fingerprint_of("other", inputs, target), fingerprint_of("recipe", inputs, tmp_path / "r.png")]
    for path in (seeds, folder / "0"):
        os.utime(path, (5, 5))
        seen.append(now())
    (folder / "1").touch()
    seen.append(now())
    stat = image.stat()
    image.write_bytes(b"abcd")
    os.utime(image, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    seen.append(now())
    image.unlink()
    seen.append(now())
    assert len(set(seen)) == len(seen)
