"""What a journal acknowledged is there again, however its process ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.interaction import painter

from napari_lightbox.axes import Geometry
from napari_lightbox.errors import InputError, ReadError, WriteError
from napari_lightbox.interaction import journal as journals
from napari_lightbox.interaction import recovery
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.journal import Journal, Recovered, discard, pending, recover
from napari_lightbox.interaction.journal_records import read_begin, read_records

GEOMETRY = Geometry.of("yx", (32, 32), (0.5, 0.5), units=("mm", "mm"))


def stroke(array: np.ndarray, row: int, value: int) -> Delta:
    before = array.copy()
    array[row] = value
    delta = Delta.between(before, array)
    assert delta is not None
    return delta


def start(path: Path, tail: int) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, painter.__file__, str(path), str(tail)], stdout=subprocess.PIPE, text=True)


def settle(book: Journal) -> None:
    """Wait until no smaller file is being made."""
    while (thread := book._smaller) is not None:
        thread.join()


def killed(process: subprocess.Popen, seconds: float) -> int:
    """Kill a painter and return how many strokes it had been told were safe; nobody has waited for it yet."""
    told = [0]
    reader = threading.Thread(target=lambda: told.extend(int(line) for line in process.stdout if line.endswith("\n")))
    reader.start()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    reader.join()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return told[-1]


def holds(found: list[Recovered], arrays: dict[str, np.ndarray]) -> bool:
    by_name = {r.name: r.volume.data for r in found}
    return all((by_name[n] == a).all() if n in by_name else not a.any() for n, a in arrays.items())


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(("tail", "times", "longest"), [(2**24, 10, 0.2), (3000, 4, 0.6)], ids=["growing", "compacted"])
def test_everything_acknowledged_survives_kill_9(tail: int, times: int, longest: float, tmp_path: Path) -> None:
    """Processes are killed at moments of their own, in the middle of painting."""
    rng = np.random.default_rng(os.getpid())
    paths = [tmp_path / f"{i}.lightbox-journal" for i in range(times)]
    processes = [start(path, tail) for path in paths[:2]]
    snapshots = 0
    for number, path in enumerate(paths):
        process = processes[number]
        processes += [start(p, tail) for p in paths[number + 2 : number + 3]]
        assert process.stdout.readline() == "0\n"
        assert path not in pending(tmp_path)
        count = killed(process, rng.uniform(0.0, longest))
        assert path in pending(tmp_path)  # dead, though its parent has not asked about it
        process.wait()
        process.stdout.close()
        found = recover(path)
        assert holds(found, painter.painted(count)) or holds(found, painter.painted(count + 1))
        with path.open("rb") as file:
            snapshots += sum(r.kind == b"B" and read_begin(r.payload).changes > 0 for r in read_records(path, file))
        discard(path)
    assert (snapshots > 0) == (tail < 2**20)
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_place_type_and_counts_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.lightbox-journal"
    book, array = Journal(path), np.zeros((32, 32), np.uint16)
    book.begin("cells", GEOMETRY, np.uint16)
    book.begin("untouched", GEOMETRY, np.int32)
    for row in range(4):
        book.append("cells", stroke(array, row, row + 1))
    (found,) = recover(path)
    assert (found.name, found.changes, found.complete) == ("cells", 4, True)
    assert found.volume.geometry == GEOMETRY
    assert found.volume.role == "labels"
    np.testing.assert_array_equal(found.volume.data, array)
    array[:] = 7
    book.begin("cells", GEOMETRY, np.uint16, array)  # replaced as a whole
    book.append("cells", stroke(array, 3, 0))
    np.testing.assert_array_equal(recover(path)[0].volume.data, array)
    book.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_a_torn_end_is_dropped_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "a.lightbox-journal"
    book, array = Journal(path), np.zeros((32, 32), np.int32)
    book.begin("a", GEOMETRY, np.int32)
    ends, states = [path.stat().st_size], [array.copy()]
    for row in range(3):
        book.append("a", stroke(array, row, 5 + row))
        ends.append(path.stat().st_size)
        states.append(array.copy())
    book.close(keep=True)
    data, torn = path.read_bytes(), tmp_path / "torn.lightbox-journal"
    for length in range(len(data)):
        torn.write_bytes(data[:length])
        whole = sum(end <= length for end in ends)
        found = recover(torn)
        if whole < 2:
            assert found == []
            continue
        np.testing.assert_array_equal(found[0].volume.data, states[whole - 1])
        assert found[0].complete == (length in ends)
    for position in range(ends[1], ends[2]):
        flipped = bytearray(data)
        flipped[position] ^= 1
        torn.write_bytes(flipped)
        np.testing.assert_array_equal(recover(torn)[0].volume.data, states[1])
        assert not recover(torn)[0].complete


def test_the_living_and_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "a.lightbox-journal"
    book, array = Journal(path), np.zeros((32, 32), np.int32)
    book.begin("a", GEOMETRY, np.int32)
    book.append("a", stroke(array, 1, 1))
    assert pending(tmp_path) == []
    discard(path)
    assert path.exists()  # somebody writes it
    with pytest.raises(WriteError, match="belongs to another window"):
        Journal(path)
    book.close(keep=True)
    assert pending(tmp_path) == [path]
    with pytest.raises(WriteError, match="Recover it first"):
        Journal(path)
    with pytest.raises(WriteError, match="is closed"):
        book.append("a", stroke(array, 2, 2))
    book.close(keep=True)
    discard(path)
    assert pending(tmp_path) == []
    assert pending(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"started": 12345.0}, False),
        ({"pid": 2**22 + 1}, False),
        ({"host": "another"}, True),
    ],
)
def test_whose_journal_it_is(changes, alive, tmp_path, monkeypatch) -> None:
    real = recovery.owner()
    monkeypatch.setattr(journals, "owner", lambda: real | changes)
    path = tmp_path / "a.lightbox-journal"
    book = Journal(path)
    book.begin("a", GEOMETRY, np.int32)
    assert pending(tmp_path) == ([] if alive else [path])
    if "host" in changes:
        os.utime(path, (1, 1))
        assert pending(tmp_path) == [path]


def test_journals_that_are_none_are_refused_or_passed_over(tmp_path: Path) -> None:
    bad = tmp_path / "a.lightbox-journal"
    for content, reason in [(b"PK\x03\x04 something else", "not a journal"), (b"LBXJ\x09\0\0\0rest", "Update")]:
        bad.write_bytes(content)
        assert pending(tmp_path) == []
        with pytest.raises(ReadError, match=reason):
            recover(bad)
    with pytest.raises(ReadError, match="cannot be read"):
        recover(tmp_path / "none")
    bad.write_bytes(b"")
    assert recover(bad) == []


def test_what_does_not_fit_is_refused_before_it_is_written(tmp_path: Path) -> None:
    book, array = Journal(tmp_path / "a.lightbox-journal"), np.zeros((32, 32), np.int32)
    delta = stroke(array, 1, 1)
    with pytest.raises(InputError, match="not begun"):
        book.append("a", delta)
    book.begin("a", GEOMETRY, np.uint8)
    with pytest.raises(InputError, match="something else"):
        book.append("a", delta)
    with pytest.raises(InputError, match="holds"):
        book.begin("a", GEOMETRY, np.int32, np.zeros((3, 3), np.int32))
    assert recover(book.path) == []
    book.close(keep=False)


def test_a_full_disk_loses_only_the_stroke_in_hand(tmp_path: Path, monkeypatch) -> None:
    book, array = Journal(tmp_path / "a.lightbox-journal"), np.zeros((32, 32), np.int32)
    book.begin("a", GEOMETRY, np.int32)
    book.append("a", stroke(array, 1, 1))
    good, write = array.copy(), os.write
    parts = iter([9])

    def short(file: int, data: bytes) -> int:
        for size in parts:
            return write(file, data[:size])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    lost = stroke(array, 2, 2)
    with pytest.raises(WriteError, match="No space left"):
        book.append("a", lost)
    monkeypatch.setattr(os, "write", write)
    np.testing.assert_array_equal(recover(book.path)[0].volume.data, good)
    book.append("a", lost)
    np.testing.assert_array_equal(recover(book.path)[0].volume.data, array)
    book.close(keep=False)


def test_the_file_stays_small_and_nothing_is_lost_meanwhile(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(journals, "SMALLEST_TAIL", 4000)
    book, array = Journal(tmp_path / "a.lightbox-journal"), np.zeros((32, 32), np.int32)
    book.begin("a", GEOMETRY, np.int32)
    for number in range(3000):
        book.append("a", stroke(array, number % 32, number + 1))
        if number % 500 == 0:
            np.testing.assert_array_equal(recover(book.path)[0].volume.data, array)
    (found,) = recover(book.path)
    np.testing.assert_array_equal(found.volume.data, array)
    assert found.changes == 3000
    assert book.nbytes == book.path.stat().st_size
    settle(book)
    sizes = []
    for number in range(300):
        book.append("a", stroke(array, number % 32, number + 1))
        settle(book)
        sizes.append(book.path.stat().st_size)
    assert max(sizes[1:]) < 20_000
    book.close(keep=True)
    np.testing.assert_array_equal(recover(book.path)[0].volume.data, array)
    assert pending(tmp_path) == [book.path]
    assert [p.name for p in tmp_path.iterdir()] == ["a.lightbox-journal"]
    assert not [t for t in threading.enumerate() if t.name == "lightbox-journal"]


def test_a_compaction_that_fails_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(journals, "SMALLEST_TAIL", 2000)
    monkeypatch.setattr(journals, "_snapshot", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left")))
    book, array = Journal(tmp_path / "a.lightbox-journal"), np.zeros((32, 32), np.int32)
    book.begin("a", GEOMETRY, np.int32)
    for number in range(200):
        book.append("a", stroke(array, number % 32, number + 1))
    np.testing.assert_array_equal(recover(book.path)[0].volume.data, array)
    book.close(keep=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.lightbox-journal"]
