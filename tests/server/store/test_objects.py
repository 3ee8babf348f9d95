"""Objects are whole, right and private; nobody sees half of one; the sweep takes what nothing needs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from napari_lightbox.errors import SpaceError, WireError
from napari_lightbox.server.store import Objects, placing
from napari_lightbox.wire.hashing import hash_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def files_in(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_what_was_put_is_there(tmp_path) -> None:
    objects, payload = Objects(tmp_path / "o"), b"\0\1" * 500
    name = hash_of(payload)
    assert not objects.has(name)
    objects.put(name, payload)
    assert objects.has(name)
    assert objects.has(name, 1000)
    assert not objects.has(name, 999)
    assert objects.path(name).read_bytes() == payload
    assert objects.path(name).relative_to(tmp_path / "o").parts == (name[:2], name[2], name)
    assert Objects(tmp_path / "o").has(name)


def test_memory_that_is_no_bytes_is_stored_as_its_bytes(tmp_path) -> None:
    objects, values = Objects(tmp_path), np.arange(7, dtype="<f8")
    objects.put(hash_of(values.data.cast("B")), values.view(np.uint8).data)
    assert np.array_equal(np.fromfile(objects.path(hash_of(values.data.cast("B"))), "<f8"), values)


def test_other_bytes_than_the_hash_says_leave_nothing(tmp_path) -> None:
    objects = Objects(tmp_path)
    with pytest.raises(WireError, match="other bytes"):
        objects.put(hash_of(b"one"), b"two")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33, "g" * 32, None, 7, "0" * 31 + "\n", "0" * 31 + "/"]
)
def test_names_that_are_no_hashes(tmp_path, name) -> None:
    with pytest.raises(WireError):
        Objects(tmp_path).path(name)


@POSIX
def test_nobody_else_may_look(tmp_path) -> None:
    old = os.umask(0)
    try:
        objects = Objects(tmp_path / "o")
        objects.put(hash_of(b"secret"), b"secret")
    finally:
        os.umask(old)
    assert (tmp_path / "o").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in files_in(tmp_path))


@POSIX
def test_a_folder_that_was_open_is_closed(tmp_path) -> None:
    tmp_path.chmod(0o755)
    Objects(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_threads_that_put_the_same(tmp_path) -> None:
    objects = Objects(tmp_path)
    payloads = [bytes([i]) * 100_000 for i in range(8)]
    errors: list[BaseException] = []

    def put_all() -> None:
        try:
            for payload in payloads:
                objects.put(hash_of(payload), payload)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=put_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(p.name for p in files_in(tmp_path)) == sorted(map(hash_of, payloads))


def test_processes_that_put_the_same(tmp_path, python) -> None:
    code = """
        import sys
        from napari_lightbox.server.store.objects import Objects
        from napari_lightbox.wire.hashing import hash_of
        objects = Objects(sys.argv[1])
        for _ in range(5):
            for i in range(10):
                payload = bytes([i]) * 200_000
                objects.path(hash_of(payload)).unlink(missing_ok=True)
                objects.put(hash_of(payload), payload)
    """
    processes = [python(code, tmp_path) for _ in range(2)]
    assert [p.communicate()[1] for p in processes if p.wait()] == []
    for path in files_in(tmp_path):
        assert hash_of(path.read_bytes()) == path.name


@POSIX
def test_killed_before_the_last_step_nothing_is_to_be_seen(tmp_path, python) -> None:
    code = """
        import sys, time
        from napari_lightbox.server.store import placing
        from napari_lightbox.server.store.objects import Objects
        from napari_lightbox.wire.hashing import hash_of
        def stuck(part, target):
            print("written", flush=True)
            time.sleep(600)
        placing._move = stuck
        Objects(sys.argv[1]).put(hash_of(b"x" * 10**6), b"x" * 10**6)
    """
    process = python(code, tmp_path)
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    objects = Objects(tmp_path)
    assert not objects.has(hash_of(b"x" * 10**6))
    assert [p.suffix for p in files_in(tmp_path)] == [".part"]
    assert objects.sweep(set()) == 0, "another process might still be writing it"
    assert objects.sweep(set(), grace=-1) == 10**6
    objects.put(hash_of(b"x" * 10**6), b"x" * 10**6)
    assert objects.has(hash_of(b"x" * 10**6), 10**6)


@POSIX
def test_killed_while_writing_all_that_is_to_be_seen_is_whole(tmp_path, python) -> None:
    code = """
        import sys, itertools
        from napari_lightbox.server.store.objects import Objects
        from napari_lightbox.wire.hashing import hash_of
        objects = Objects(sys.argv[1])
        print("ready", flush=True)
        for i in itertools.count():
            payload = i.to_bytes(8, "little") * 250_000
            objects.put(hash_of(payload), payload)
            print(i, flush=True)
    """
    process = python(code, tmp_path)
    for _ in range(4):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = [p for p in files_in(tmp_path) if p.suffix != ".part"]
    assert len(whole) >= 3
    for path in whole:
        assert hash_of(path.read_bytes()) == path.name


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch) -> None:
    def full(part: Path, payload: Sequence[memoryview]) -> None:
        part.write_bytes(payload[0][:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing, "_write", full)
    with pytest.raises(SpaceError):
        Objects(tmp_path).put(hash_of(b"x" * 100), b"x" * 100)
    assert files_in(tmp_path) == []


def test_the_sweep_keeps_what_is_used_and_what_is_young(tmp_path) -> None:
    objects = Objects(tmp_path)
    names = [hash_of(bytes([i]) * 1000) for i in range(4)]
    for i, name in enumerate(names):
        objects.put(name, bytes([i]) * 1000)
        os.utime(objects.path(name), (1, 1))
    used, young, again, old = names
    os.utime(objects.path(young))
    assert objects.hold(again, 1000)
    assert not objects.hold(old, 999)
    assert objects.sweep({used}) == 1000
    assert [objects.has(name) for name in names] == [True, True, True, False]


def test_putting_again_makes_it_young(tmp_path) -> None:
    objects = Objects(tmp_path)
    objects.put(hash_of(b"a"), b"a")
    os.utime(objects.path(hash_of(b"a")), (1, 1))
    objects.put(hash_of(b"a"), b"a")
    assert objects.sweep(set()) == 0


def test_a_cut_off_object_is_put_again(tmp_path) -> None:
    objects = Objects(tmp_path)
    objects.put(hash_of(b"abcd"), b"abcd")
    objects.path(hash_of(b"abcd")).write_bytes(b"ab")
    objects.put(hash_of(b"abcd"), b"abcd")
    assert objects.path(hash_of(b"abcd")).read_bytes() == b"abcd"
