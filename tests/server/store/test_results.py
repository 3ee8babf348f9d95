"""Results are Zarr arrays that any reader opens; no chunk is ever half there, and a restart knows which are."""

from __future__ import annotations

import pickle
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from tests.server.store.stores import KINDS, values_of

from napari_lightbox.errors import NotFoundError, ServerError, WireError
from napari_lightbox.server.store import Results, placing
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.wire import ArrayCard

AXES = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4)), max_size=3)
CARD = ArrayCard("<u2", (10, 21), (4, 8))
DATA = np.arange(210, dtype="<u2").reshape(10, 21)


def write_all(array, data) -> None:
    for index in array.card.indices:
        array.write(index, data[array.card.box(index)])


@settings(max_examples=60)
@given(st.sampled_from(KINDS), AXES, st.integers(0, 2**32), st.booleans())
def test_any_zarr_reader_sees_the_same(kind, axes, seed, swapped) -> None:
    shape, chunks = tuple(n for n, _ in axes), tuple(c for _, c in axes)
    data = values_of(kind, shape, seed)
    with tempfile.TemporaryDirectory() as folder:
        array = Results(Path(folder)).create("job", "out", ArrayCard.of(data, chunks))
        write_all(array, data.astype(data.dtype.newbyteorder(">")) if swapped and kind[1] != "b" else data)
        seen = zarr.open(array.folder, mode="r")
        assert (seen.shape, seen.chunks, seen.dtype) == (shape, chunks, np.dtype(kind))
        assert np.asarray(seen[...]).tobytes() == data.tobytes()
        assert array.written() == len(list(array.card.indices))
        assert all(array.path(i).stat().st_size == np.prod(chunks, dtype=int) * data.itemsize for i in array.card.indices)


def test_chunks_reach_over_the_edge_with_zeros(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    write_all(array, DATA + 1)
    corner = np.fromfile(array.path((2, 2)), "<u2").reshape(4, 8)
    assert np.array_equal(corner[:2, :5], DATA[8:, 16:] + 1)
    assert not corner[2:].any()
    assert not corner[:, 5:].any()


def test_values_in_any_memory_order(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", ArrayCard("<f8", (6, 4), (3, 4)))
    data = np.arange(24.0).reshape(4, 6).T
    write_all(array, data)
    assert np.array_equal(zarr.open(array.folder, mode="r")[...], data)


def test_a_chunk_takes_one_entry_of_the_disk(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    before = set(array.folder.rglob("*"))
    write_all(array, DATA)
    names = {path.relative_to(array.folder).as_posix() for path in set(array.folder.rglob("*")) - before}
    assert names == {f"c.{i}.{j}" for i, j in array.card.indices}


def test_what_is_not_written_is_not_there(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    assert (array.written(), array.has((0, 0))) == (0, False)
    array.write((1, 2), DATA[4:8, 16:])
    array.write((1, 2), DATA[4:8, 16:])
    assert (array.written(), array.has((1, 2)), array.has((2, 1))) == (1, True, False)
    assert array.path((1, 2)) == array.folder / "c.1.2"


@pytest.mark.parametrize(
    "values", [DATA[:4, :7], DATA[:4, :8].astype("<u4"), DATA[:4, :8].astype("<i2"), DATA[:8, :4], 0, DATA[:4, :8, None]]
)
def test_other_blocks_than_the_card_says(tmp_path, values) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    with pytest.raises(ServerError, match="should be"):
        array.write((0, 0), values)
    assert not array.has((0, 0))


@pytest.mark.parametrize("index", [(3, 0), (-1, 0), (0,), (0, 0, 0), ()])
def test_chunks_that_cannot_be(tmp_path, index) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    with pytest.raises(WireError):
        array.path(index)


@pytest.mark.parametrize("name", ["", "..", "../x", "0" * 32, None, 7, "x" * 32])
def test_arrays_that_are_not_there(tmp_path, name) -> None:
    with pytest.raises(NotFoundError):
        Results(tmp_path).open(name)


def test_ids_cannot_be_guessed(tmp_path) -> None:
    results = Results(tmp_path)
    ids = [results.create("job", str(i), CARD).id for i in range(20)]
    assert len(set(ids)) == 20
    assert all(len(i) == 32 for i in ids)
    assert len({i[:4] for i in ids}) > 10


def test_a_restarted_server_goes_on_where_it_was(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD, "ada")
    done = list(CARD.indices)[:5]
    for index in done:
        array.write(index, DATA[CARD.box(index)])
    again = Results(tmp_path).of("job")["out"]
    assert (again.id, again.job, again.name, again.owner, again.card) == (array.id, "job", "out", "ada", CARD)
    assert again.written() == 5
    assert [i for i in CARD.indices if again.has(i)] == done


def test_a_chunk_whose_writer_died_before_it_was_counted_is_counted(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    write_all(array, DATA)
    (array.folder / "written").write_bytes(bytes(9))
    assert array.written() == 0
    assert all(array.has(i) for i in CARD.indices)
    assert array.written() == 9


def test_arrays_of_a_job_are_deleted_together(tmp_path) -> None:
    results = Results(tmp_path)
    one, other, kept = results.create("a", "x", CARD), results.create("a", "y", CARD), results.create("b", "x", CARD)
    write_all(one, DATA)
    results.delete("a")
    results.delete("a")
    assert results.of("a") == {}
    assert not one.folder.exists()
    with pytest.raises(NotFoundError):
        results.open(other.id)
    assert results.open(kept.id) == kept
    results.close()
    assert [p.name for p in tmp_path.iterdir()] == [kept.id]


def test_a_worker_learns_that_its_array_was_deleted(tmp_path) -> None:
    results = Results(tmp_path)
    array = results.create("job", "out", CARD)
    results.delete("job")
    with pytest.raises(NotFoundError, match="deleted"):
        array.write((0, 0), DATA[:4, :8])
    results.close()
    assert list(tmp_path.iterdir()) == []
    assert array.written() == 0


def test_deleted_between_the_look_at_a_chunk_and_its_mark(tmp_path, monkeypatch) -> None:
    results = Results(tmp_path)
    array = results.create("job", "out", CARD)
    write_all(array, DATA)
    deleted_before(monkeypatch, results, ResultArray, "_mark")
    assert not array.has((0, 0))
    results.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("where", "step"), [(ResultArray, "_mark"), (placing, "_write"), (placing, "_move")])
def test_deleted_in_the_midst_of_a_write(tmp_path, monkeypatch, where, step) -> None:
    results = Results(tmp_path)
    array = results.create("job", "out", CARD)
    deleted_before(monkeypatch, results, where, step)
    with pytest.raises(NotFoundError, match="deleted"):
        array.write((0, 0), DATA[:4, :8])
    results.close()
    assert list(tmp_path.iterdir()) == []


def test_an_array_that_was_damaged_is_not_taken_for_deleted(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    write_all(array, DATA)
    (array.folder / "written").unlink()
    with pytest.raises(FileNotFoundError):
        array.has((0, 0))
    with pytest.raises(FileNotFoundError):
        array.write((0, 0), DATA[:4, :8])


def deleted_before(monkeypatch, results, where, step) -> None:
    """Delete the arrays of the job when a step begins, and go on with the step."""
    inner = getattr(where, step)

    def late(*given):
        results.delete("job")
        return inner(*given)

    monkeypatch.setattr(where, step, late)


def test_the_arrays_of_one_job_are_found_without_a_look_at_others(tmp_path, monkeypatch) -> None:
    results = Results(tmp_path)
    ids = {job: {results.create(job, name, CARD).id for name in "xy"} for job in map(str, range(20))}
    again = Results(tmp_path)
    looked: list[str] = []
    inner = Results.open
    monkeypatch.setattr(Results, "open", lambda self, array_id: looked.append(array_id) or inner(self, array_id))
    for there in (results, again):
        assert {array.id for array in there.of("3").values()} == ids["3"]
        assert there.of("20") == {}
    again.delete("4")
    again.close()
    assert set(looked) == ids["3"] | ids["4"]


STEPS = st.lists(st.tuples(st.sampled_from(["create", "delete", "lose", "restart"]), st.sampled_from("abc")), max_size=25)


@settings(max_examples=40)
@given(STEPS)
def test_whatever_happened_the_arrays_of_a_job_are_those_on_the_disk(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        for step, job in steps:
            if step == "create":
                results.create(job, "out", CARD, "ada")
            elif step == "delete":
                results.delete(job)
            elif step == "lose":
                shutil.rmtree(next((array.folder for array in results if array.job == job), Path(folder) / "none"), True)
            else:
                results.close()
                results = Results(Path(folder))
            there = {array.job for array in results}
            assert {name for name in "abc" if results.of(name)} == there
        for name in "abc":
            results.delete(name)
        results.close()
        assert list(Path(folder).iterdir()) == []


def test_two_outputs_of_one_name_are_both_deleted(tmp_path) -> None:
    results = Results(tmp_path)
    results.create("job", "out", CARD)
    results.create("job", "out", CARD)
    results.delete("job")
    results.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_nobody_else_may_look(tmp_path) -> None:
    array = Results(tmp_path / "r").create("job", "out", CARD)
    write_all(array, DATA)
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o700
    chunks = list(array.folder.glob("c.*"))
    assert len(chunks) == 9
    assert all(p.stat().st_mode & 0o077 == 0 for p in chunks)


def test_writers_of_the_same_chunks_do_no_harm(tmp_path) -> None:
    array = pickle.loads(pickle.dumps(Results(tmp_path).create("job", "out", CARD)))
    errors: list[BaseException] = []

    def write() -> None:
        try:
            write_all(array, DATA)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert np.array_equal(zarr.open(array.folder, mode="r")[...], DATA)
    assert array.written() == 9
    assert list((array.folder / "parts").iterdir()) == []


WRITER = """
    import pickle, sys, pathlib
    import numpy as np
    array = pickle.loads(bytes.fromhex(sys.argv[1]))
    for turn in range(int(sys.argv[2])):
        for n, index in enumerate(array.card.indices):
            array.write(index, np.full(array.card.chunk_shape(index), n + 1, array.card.kind))
            print(n, flush=True)
"""


def test_two_processes_write_one_array(tmp_path, python) -> None:
    array = Results(tmp_path).create("job", "out", ArrayCard("<u4", (40, 40), (10, 10)))
    processes = [python(WRITER, pickle.dumps(array).hex(), 5) for _ in range(2)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    seen = zarr.open(array.folder, mode="r")[...]
    assert np.array_equal(seen, np.kron(np.arange(1, 17).reshape(4, 4), np.ones((10, 10), int)))
    assert array.written() == 16


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_a_killed_writer_leaves_no_half_chunk_and_the_next_goes_on(tmp_path, python) -> None:
    card = ArrayCard("<u4", (40, 2**19), (1, 2**19))
    array = Results(tmp_path).create("job", "out", card)
    process = python(WRITER, pickle.dumps(array).hex(), 1)
    for _ in range(3):
        assert process.stdout.readline(), process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = Results(tmp_path, grace=-1).of("job")["out"]
    assert list((again.folder / "parts").iterdir()) == []
    done = [i for i in card.indices if again.has(i)]
    assert 3 <= len(done) == again.written()
    for n, _ in done:
        values = np.fromfile(again.path((n, 0)), "<u4")
        assert len(values) == 2**19
        assert (values == n + 1).all()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_killed_before_the_last_step_the_chunk_is_not_there(tmp_path, python) -> None:
    code = """
        import sys, time
        from napari_lightbox.server.store import placing
        def stuck(part, target):
            print("written", flush=True)
            time.sleep(600)
        placing._move = stuck
    """
    array = Results(tmp_path).create("job", "out", CARD)
    lines = [line.removeprefix("        ") for line in code.splitlines()] + [
        line.removeprefix("    ") for line in WRITER.splitlines()
    ]
    process = python("\n".join(lines), pickle.dumps(array).hex(), 1)
    assert process.stdout.readline() == "written\n", process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = Results(tmp_path).of("job")["out"]
    assert len(list((again.folder / "parts").iterdir())) == 1, "it may still be written by a worker of somebody else"
    assert not again.has((0, 0))
    write_all(again, DATA)
    assert np.array_equal(zarr.open(again.folder, mode="r")[...], DATA)


def test_what_a_dead_server_left_half_made_is_gone(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", CARD)
    (tmp_path / f".{'0' * 32}").mkdir()
    (tmp_path / ("1" * 32) / "c" / "0").mkdir(parents=True)
    assert [a.id for a in Results(tmp_path)] == [array.id]
    assert [p.name for p in tmp_path.iterdir()] == [array.id]


def test_a_million_chunks_are_counted_at_once(tmp_path) -> None:
    array = Results(tmp_path).create("job", "out", ArrayCard("|u1", (1000, 1000), (1, 1)))
    array.write((999, 999), np.ones((1, 1), np.uint8))
    array.write((0, 5), np.ones((1, 1), np.uint8))
    assert array.written() == 2
    assert len([p for p in array.folder.rglob("*") if p.is_file()]) == 2 + 3
