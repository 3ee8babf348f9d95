"""Bounds hold before bytes are taken, for many at once, and after a restart."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tests.server.store.stores import hashes_of, make_store, send

from napari_lightbox.errors import QuotaError, SpaceError
from napari_lightbox.server.store import Disk
from napari_lightbox.wire import ArrayCard, encode_chunk


def test_what_fits_passes(tmp_path) -> None:
    Disk(tmp_path / "new", quota=100).check("ada", 100)


def test_too_little_would_stay_free(tmp_path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(SpaceError, match="free"):
        Disk(tmp_path, least_free=2 * free).check(None, 1)
    with pytest.raises(SpaceError):
        Disk(tmp_path).check("ada", 2 * free)


def test_a_quota_is_of_one_user(tmp_path) -> None:
    disk = Disk(tmp_path, quota=100)
    disk.add("ada", 90)
    disk.check("ada", 10)
    disk.check("bob", 100)
    disk.check(None, 1000)
    with pytest.raises(QuotaError, match="90 of 100"):
        disk.check("ada", 11)
    disk.add("ada", -90)
    disk.check("ada", 100)
    assert disk.used("ada") == 0


def test_many_on_their_way_count_together(tmp_path) -> None:
    disk = Disk(tmp_path, quota=100)
    with disk.room("ada", 60):
        disk.check("ada", 40)
        with pytest.raises(QuotaError), disk.room("ada", 41):
            pass
    with pytest.raises(RuntimeError), disk.room("ada", 60):
        raise RuntimeError
    disk.check("ada", 100)
    free = shutil.disk_usage(tmp_path).free
    with disk.room(None, int(0.7 * free)), pytest.raises(SpaceError):
        disk.check(None, int(0.7 * free))


def test_sources_are_counted_and_counted_again(tmp_path) -> None:
    store = make_store(tmp_path, quota=10_000)
    data = np.arange(10 * 21, dtype="<u2").reshape(10, 21)
    source = send(store, data, (4, 8), only={0, 2, 8})
    sizes = [64, 40, 20]
    assert store.disk.used("ada") == sum(sizes) == source.held()
    assert store.restarted().disk.used("ada") == sum(sizes)
    send(store, data, (4, 8), owner="bob")
    assert store.disk.used("ada") == store.disk.used("bob") == data.nbytes
    store.sources.delete(source.id, "ada")
    assert (store.disk.used("ada"), store.disk.used("bob")) == (0, data.nbytes)
    assert store.restarted().disk.describe()["used"] == {"bob": data.nbytes}


def test_chunks_over_the_quota_are_refused(tmp_path) -> None:
    store = make_store(tmp_path, quota=100)
    data = np.arange(40, dtype="<i4")
    card = ArrayCard.of(data, (10,))
    source = store.sources.register(card, hashes_of(data, card), "ada")
    bodies = [encode_chunk(data[card.box(i)]) for i in card.indices]
    store.sources.put_chunk(source.id, 0, bodies[0], "ada")
    store.sources.put_chunk(source.id, 1, bodies[1], "ada")
    with pytest.raises(QuotaError):
        store.sources.put_chunk(source.id, 2, bodies[2], "ada")
    store.sources.put_chunk(source.id, 1, bodies[1], "ada")
    assert store.sources.missing(source.id) == [2, 3]
    assert len([p for p in store.objects.folder.rglob("*") if p.is_file()]) == 2


def test_a_full_disk_refuses_chunks_and_results(tmp_path) -> None:
    store = make_store(tmp_path)
    data = np.arange(40, dtype="<i4")
    source = send(store, data, (10,), only=())
    array = store.results.create("job", "out", ArrayCard.of(data, (10,)), "ada")
    full = store.restarted(least_free=2**62)
    with pytest.raises(SpaceError):
        full.sources.put_chunk(source.id, 0, encode_chunk(data[:10]))
    with pytest.raises(SpaceError):
        full.results.create("job", "more", ArrayCard.of(data, (10,)), "ada")
    with pytest.raises(SpaceError):
        full.results.open(array.id).write((0,), data[:10])
    assert full.results.open(array.id).written() == 0
    assert list(array.folder.rglob("*.part")) == []


def test_somebody_elses_array_over_the_quota_is_not_taken_over(tmp_path) -> None:
    store = make_store(tmp_path)
    data = np.arange(100, dtype="<f8")
    source = send(store, data, (50,))
    poor = store.restarted(quota=100)
    card = ArrayCard.of(data, (50,))
    with pytest.raises(QuotaError):
        poor.sources.register(card, hashes_of(data, card), "bob")
    assert poor.sources.owners(source.id) == {"ada"}
    assert poor.disk.used("bob") == 0


def test_results_are_counted_when_they_are_made(tmp_path) -> None:
    store = make_store(tmp_path, quota=1000)
    array = store.results.create("job", "out", ArrayCard("<f8", (10, 10), (10, 10)), "ada")
    assert store.disk.used("ada") == array.nbytes() == 800
    with pytest.raises(QuotaError):
        store.results.create("job", "more", ArrayCard("<f8", (10, 10), (10, 10)), "ada")
    assert store.restarted().disk.used("ada") == 800
    store.results.delete("job")
    assert store.disk.used("ada") == 0
