"""Arrays come back bit for bit, lies are refused, and a restart forgets nothing."""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
from pathlib import Path

import dask
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from tests.server.store.stores import KINDS, hashes_of, make_store, send, values_of

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import NotFoundError, ServerError, WireError
from napari_lightbox.wire import ArrayCard, encode_chunk
from napari_lightbox.wire.hashing import hash_of, hash_values

AXES = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4)), max_size=3)
DATA = np.arange(10 * 21, dtype="<u2").reshape(10, 21)


def card_of(data: np.ndarray, chunks: tuple[int, ...] = (4, 8)) -> ArrayCard:
    return ArrayCard.of(data, chunks)


def body(n: int, data: np.ndarray = DATA, chunks: tuple[int, ...] = (4, 8)) -> bytes:
    card = card_of(data, chunks)
    return encode_chunk(data[card.box(list(card.indices)[n])])


def computed(store, source) -> np.ndarray:
    return np.asarray(store.sources.array(source.id).compute(scheduler="synchronous"))


@settings(max_examples=60)
@given(st.sampled_from(KINDS), AXES, st.booleans(), st.sampled_from(["raw", "zlib"]), st.integers(0, 2**32))
def test_arrays_come_back_bit_for_bit(kind, axes, declared, codec, seed) -> None:
    shape, chunks = tuple(n for n, _ in axes), tuple(c for _, c in axes)
    data = values_of(kind, shape, seed)
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder))
        source = send(store, data, chunks, declared=declared, codec=codec)
        assert store.sources.missing(source.id) == []
        assert source.present == source.chunks
        array = store.sources.array(source.id)
        assert array.name == f"source-{source.id}"
        assert (array.shape, array.dtype) == (shape, np.dtype(kind))
        got = computed(store.restarted(), source)
        assert (got.dtype, got.shape, got.tobytes()) == (np.dtype(kind), shape, data.tobytes())
        assert store.disk.used("ada") == data.nbytes


def test_the_same_array_has_the_same_id_whoever_sends_it(store) -> None:
    source = send(store, DATA, (4, 8))
    again = store.sources.register(card_of(DATA), hashes_of(DATA, card_of(DATA)), "bob")
    assert again.id == source.id
    assert store.sources.missing(again.id) == []
    assert store.sources.owners(source.id) == {"ada", "bob"}
    others = [
        send(store, DATA + 1, (4, 8)), send(store, DATA, (4, 7)), send(store, DATA.view("<i2"), (4, 8)),
        send(store, DATA, (4, 8), declared=False), send(store, DATA, (4, 8), declared=False),
    ]  # fmt: skip
    assert len({source.id, *(o.id for o in others)}) == 6


def test_what_another_array_brought_need_not_be_sent(store) -> None:
    send(store, DATA, (4, 8), only={0, 4})
    other = DATA.copy()
    other[9, 20] = 0
    source = send(store, other, (4, 8), only=())
    assert store.sources.missing(source.id) == [1, 2, 3, 5, 6, 7, 8]
    assert np.array_equal(store.sources.array(source.id)[:4, :8].compute(), DATA[:4, :8])


@pytest.mark.parametrize(
    ("n", "sent"),
    [
        (0, body(1)),  # another chunk of the right shape
        (0, body(2)),  # another shape
        (0, body(0, DATA + 1)),  # other values
        (0, body(0, DATA.view("<i2"))),  # another type
        (0, body(0)[:-1]), (0, body(0)[:10]), (0, b""), (0, body(0) + b"\0"), (0, b"junk" * 20),
        (9, body(0)), (-1, body(0)), (True, body(0)), ("0", body(0)), (10**30, body(0)), (None, body(0)),
    ],
)  # fmt: skip
def test_lies_are_refused_and_leave_nothing(store, n, sent) -> None:
    source = store.sources.register(card_of(DATA), hashes_of(DATA, card_of(DATA)), "ada")
    with pytest.raises(WireError):
        store.sources.put_chunk(source.id, n, sent)
    assert source.present == 0
    assert [p for p in store.objects.folder.rglob("*") if p.is_file()] == []
    assert store.disk.used("ada") == 0


def test_an_array_does_not_change_under_those_who_read_it(store) -> None:
    source = send(store, DATA, (4, 8), declared=False, only={0})
    store.sources.put_chunk(source.id, 0, body(0))
    with pytest.raises(WireError, match="before"):
        store.sources.put_chunk(source.id, 0, body(1))
    with pytest.raises(WireError, match="before"):
        store.sources.link(source.id, [[0, hash_values(DATA[:4, 8:16])]])
    assert np.array_equal(store.sources.array(source.id)[:4, :8].compute(), DATA[:4, :8])


def test_booleans_are_true_or_false(store) -> None:
    source = store.sources.register(ArrayCard("|b1", (4,), (4,)), None, "ada")
    sent = encode_chunk(np.array([0, 1, 2, 255], np.uint8)).replace(b"|u1", b"|b1")
    with pytest.raises(WireError, match="neither"):
        store.sources.put_chunk(source.id, 0, sent)


@pytest.mark.parametrize("hashes", [[], ["0" * 32] * 9, ["a" * 32] * 8, ["a" * 31] * 9, [1] * 9, ["A" * 32] * 9, [None] * 9])
def test_hashes_that_are_none(store, hashes) -> None:
    with pytest.raises(WireError):
        store.sources.register(card_of(DATA), hashes, "ada")
    assert list(store.sources) == []


@pytest.mark.parametrize("name", ["", "..", "../x", "0" * 32, "x" * 32, None, "0" * 31 + "/", "A" * 32])
def test_ids_that_are_none(store, name) -> None:
    for look in (store.sources.get, store.sources.array, store.sources.missing, store.sources.owners):
        with pytest.raises(NotFoundError):
            look(name)


def test_known_chunks_are_linked(store) -> None:
    send(store, DATA, (4, 8), only={0, 1})
    card = card_of(DATA)
    source = store.sources.register(card, None, "bob")
    pairs = [[n, name] for n, name in enumerate(hashes_of(DATA, card))]
    assert store.sources.link(source.id, pairs, "bob") == [2, 3, 4, 5, 6, 7, 8]
    assert store.sources.missing(source.id, [0, 1, 2]) == [2]
    assert store.disk.used("bob") == 128
    assert np.array_equal(store.sources.array(source.id)[:4, :16].compute(), DATA[:4, :16])


def test_bytes_of_another_length_are_not_linked(store) -> None:
    send(store, np.zeros(3, "<u2"), (3,))
    source = store.sources.register(card_of(DATA), None, "ada")
    assert store.sources.link(source.id, [[0, hash_of(bytes(6))]]) == [0]
    liar = store.sources.register(card_of(DATA), [hash_of(bytes(6))] * 9, "ada")
    assert len(store.sources.missing(liar.id)) == 9


@pytest.mark.parametrize(
    "pair", [[0], [0, "x"], [9, "a" * 32], [-1, "a" * 32], ["0", "a" * 32], None, 3, [0, 1, 2], [0.0, "a" * 32]]
)
def test_pairs_that_are_none(store, pair) -> None:
    source = store.sources.register(card_of(DATA), None, "ada")
    with pytest.raises(WireError):
        store.sources.link(source.id, [pair])


def test_a_link_to_other_bytes_than_promised(store) -> None:
    source = send(store, DATA, (4, 8), only={0})
    with pytest.raises(WireError, match="promised"):
        store.sources.link(source.id, [[1, hash_values(DATA[:4, :8])]])


def test_a_restart_forgets_nothing(store) -> None:
    whole, part, lazy = (
        send(store, DATA, (4, 8)), send(store, DATA + 1, (4, 8), only={3}), send(store, DATA, (4, 8), declared=False, only={1, 5})
    )  # fmt: skip
    again = store.restarted()
    assert sorted(s.id for s in again.sources) == sorted([whole.id, part.id, lazy.id])
    assert again.sources.missing(whole.id) == []
    assert again.sources.missing(part.id) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert again.sources.missing(lazy.id, [0, 1, 2, 5]) == [0, 2]
    with pytest.raises(WireError, match="promised"):
        again.sources.put_chunk(part.id, 0, body(0))
    again.sources.put_chunk(part.id, 0, body(0, DATA + 1))
    assert again.sources.get(lazy.id) == lazy


def test_what_a_dead_process_left_half_made_is_gone(store) -> None:
    source = send(store, DATA, (4, 8))
    left = source.folder.with_name(f".{source.id}-{'0' * 32}")
    left.mkdir()
    (left / "card.json").write_text("{")
    again = store.restarted()
    assert [s.id for s in again.sources] == [source.id]
    assert not left.exists()


def test_a_chunk_that_has_not_arrived_is_an_error_that_names_it(store) -> None:
    source = send(store, DATA, (4, 8), only={0})
    array = store.sources.array(source.id)
    assert np.array_equal(array[:4, :8].compute(), DATA[:4, :8])
    with pytest.raises(NotFoundError, match="chunk 4"):
        array[4:8, 8:16].compute()
    store.sources.put_chunk(source.id, 4, body(4))
    assert np.array_equal(array[4:8, 8:16].compute(), DATA[4:8, 8:16])


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-1])])
def test_what_the_disk_lost_is_asked_for_again(store, damage) -> None:
    source = send(store, DATA, (4, 8))
    damage(store.objects.path(hash_values(DATA[:4, :8])))
    with pytest.raises(ServerError, match="lost chunk 0"):
        computed(store, source)
    assert store.sources.missing(source.id) == [0]
    assert store.disk.used("ada") == DATA.nbytes - 64
    store.sources.put_chunk(source.id, 0, body(0))
    assert np.array_equal(computed(store, source), DATA)
    assert store.disk.used("ada") == DATA.nbytes


def test_registering_again_finds_what_the_disk_lost(store) -> None:
    source = send(store, DATA, (4, 8))
    store.objects.path(hash_values(DATA[:4, :8])).unlink()
    send(store, DATA, (4, 8), only=())
    assert source.present == 8


def test_blocks_are_read_only(store) -> None:
    source = send(store, DATA, (10, 21))
    block = source.reader(store.objects.folder)((0, 0))
    with pytest.raises(ValueError, match="read-only"):
        block[0, 0] = 1


def test_a_million_chunks_cost_nothing_until_they_are_asked_for(store) -> None:
    card = ArrayCard("|u1", (10**6,), (1,))
    source = store.sources.register(card, None, "ada")
    assert source.present == 0
    store.sources.put_chunk(source.id, 777_777, encode_chunk(np.array([7], np.uint8)))
    assert (source.present, source.held()) == (1, 1)
    assert store.sources.missing(source.id, [777_776, 777_777]) == [777_776]
    array = store.sources.array(source.id)
    layer = array.dask.layers[array.name]
    assert not layer.is_materialized()
    culled, _ = layer.cull({(array.name, 777_777)}, ())
    assert len(culled) == 1
    assert array[777_777].compute() == 7


def test_arrays_travel_to_other_processes(store, tmp_path, python) -> None:
    source = send(store, DATA, (4, 8))
    array = store.sources.array(source.id)
    culled, _ = array.dask.layers[array.name].cull(set(array.dask.layers[array.name]), ())
    (tmp_path / "tasks").write_bytes(pickle.dumps(dict(culled)))
    code = """
        import pathlib, pickle, sys
        tasks = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
        print(sum(int(task().sum()) for task in tasks.values()))
    """
    out, err = python(code, tmp_path / "tasks").communicate(timeout=120)
    assert out.strip() == str(int(DATA.sum())), err


def test_many_senders_at_once(store) -> None:
    data = values_of("<f4", (40, 40))
    card = ArrayCard.of(data, (8, 8))
    source = store.sources.register(card, hashes_of(data, card), "ada")
    bodies = [encode_chunk(data[card.box(i)]) for i in card.indices]
    errors: list[BaseException] = []

    def put_all(order: list[int]) -> None:
        try:
            for n in order:
                store.sources.put_chunk(source.id, n, bodies[n], "ada")
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    orders = [np.random.default_rng(i).permutation(25).tolist() for i in range(6)]
    threads = [threading.Thread(target=put_all, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert computed(store, source).tobytes() == data.tobytes()
    assert store.disk.used("ada") == data.nbytes


def test_an_array_goes_when_nobody_owns_or_holds_it(store) -> None:
    source = send(store, DATA, (4, 8))
    send(store, DATA, (4, 8), owner="bob")
    store.sources.pin(source.id, "session")
    store.sources.pin(source.id, "job")
    store.sources.delete(source.id, "ada")
    store.sources.delete(source.id, "bob")
    assert np.array_equal(computed(store, source), DATA)
    store.sources.unpin("job", source.id)
    store.sources.unpin("nobody")
    assert np.array_equal(computed(store, source), DATA)
    store.sources.unpin("session")
    with pytest.raises(NotFoundError):
        store.sources.get(source.id)
    with pytest.raises(NotFoundError):
        source.reader(store.objects.folder)((0, 0))
    assert list((store.folder / "sources").iterdir()) == []


def test_letting_go_keeps_what_somebody_owns(store) -> None:
    source = send(store, DATA, (4, 8))
    store.sources.pin(source.id, "session")
    store.sources.unpin("session")
    assert store.sources.get(source.id) == source


def test_unused_arrays_expire(store) -> None:
    old, used, held, kept = (send(store, DATA + i, (4, 8)) for i in range(4))
    store.sources.pin(held.id, "session")
    for source in (old, used, held, kept):
        os.utime(source.folder / "card.json", (1, 1))
    store.sources.array(used.id)
    assert store.sources.expire(100, keep=[kept.id]) == [old.id]
    assert {s.id for s in store.sources} == {used.id, held.id, kept.id}
    assert store.disk.used("ada") == 3 * DATA.nbytes


def test_the_sweep_takes_what_no_array_uses(store) -> None:
    one, other = send(store, DATA, (4, 8)), send(store, np.flip(DATA), (4, 8))
    shared = send(store, DATA, (4, 8), declared=False)
    store.sources.delete(other.id, "ada")
    store.sources.delete(one.id, "ada")
    assert store.sources.in_use() == set(hashes_of(DATA, card_of(DATA)))
    assert store.objects.sweep(store.sources.in_use(), grace=-1) == DATA.nbytes
    assert np.array_equal(computed(store, shared), DATA)


def test_rows_can_be_sliced_without_the_rest(store) -> None:
    source = send(store, DATA, (4, 8), only={0, 1, 2})
    with dask.config.set(scheduler="synchronous"):
        assert np.array_equal(store.sources.array(source.id)[2, 5:20].compute(), DATA[2, 5:20])


@pytest.mark.parametrize("technique", ["gaussian_blur", "rescale_intensity", "connected_components"])
def test_techniques_run_on_sources(store, technique) -> None:
    data = (np.arange(40 * 50).reshape(40, 50) % 7 > 2).astype("|u1")
    array = store.sources.array(send(store, data, (16, 16)).id)
    geometry = Geometry.of("yx", data.shape)
    lazy, eager = (lb.apply(technique, Volume(d, geometry)) for d in (array, data))
    assert np.array_equal(np.asarray(lazy.data), np.asarray(eager.data))
