"""The table of jobs: nothing is lost between two starts, and a key makes one job."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from sqlalchemy import create_engine, text

from napari_lightbox.errors import NotFoundError, ServerError
from napari_lightbox.server.jobs.job import UNFINISHED, Job
from napari_lightbox.server.jobs.table import JobTable

STATUSES = ["queued", "running", "done", "failed", "cancelled"]


def job(name: str, **details) -> Job:
    request = {"technique": "gaussian_blur", "parameters": {"a": [1, None]}}
    return Job(**({"id": name, "owner": "ada", "request": request} | details))


@pytest.fixture
def table(tmp_path):
    table = JobTable(tmp_path / "jobs.sqlite")
    yield table
    table.close()


def test_jobs_come_back_as_they_were(table, tmp_path) -> None:
    kept = job("a", key="k", first=[[0, 3]], priority=2, created=5.5)
    table.add(kept)
    error = {"error": "InputError", "subject": "x", "reason": "y", "way_out": "z"}
    table.update("a", status="failed", error=error, fraction=0.25)
    table.close()
    again = JobTable(tmp_path / "jobs.sqlite")
    found = again.get("a")
    assert (found.request, found.first, found.priority, found.created) == (kept.request, [[0, 3]], 2, 5.5)
    assert (found.status, found.fraction, found.error["reason"], found.outputs) == ("failed", 0.25, "y", None)
    again.close()


def test_the_same_key_of_the_same_owner_is_the_same_job(table) -> None:
    assert table.add(job("a", key="k")).id == "a"
    assert table.add(job("b", key="k")).id == "a"
    assert table.add(job("c", key="k", owner="bob")).id == "c"
    assert {table.add(job(name)).id for name in "de"} == {"d", "e"}


def test_many_threads_with_one_key_make_one_job(table) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda n: table.add(job(f"job-{n}", key="k")).id, range(40)))
    assert len(made) == 1
    assert [j.id for j in table.list()] == list(made)


def test_what_is_to_be_run_and_what_may_go(table) -> None:
    for number, (status, lease) in enumerate([("queued", None), ("running", None), ("done", 10.0), ("failed", 30.0)]):
        table.add(job(str(number), status=status, lease_until=lease, created=float(-number)))
    assert [j.id for j in table.unfinished()] == ["1", "0"]
    assert table.count_unfinished("ada") == 2
    assert [j.id for j in table.expired(20)] == ["2"]
    table.update("2", gone=True, lease_until=15.0)
    assert not table.expired(20)
    assert [j.id for j in table.forgotten(20)] == ["2"]


JOBS = st.lists(
    st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(STATUSES), st.booleans(), st.integers(0, 9)), max_size=12
)


@settings(max_examples=60)
@given(JOBS, st.sampled_from([None, "ada", "bob", "eve"]), st.none() | st.integers(1, 13))
def test_the_newest_and_all_that_are_to_be_run(rows, owner, most) -> None:
    made = [
        job(f"{n:02}", owner=whose, status=status, gone=gone and status == "done", created=float(created))
        for n, (whose, status, gone, created) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        table = JobTable(Path(folder) / "jobs.sqlite")
        for one in made:
            table.add(one)
        found, count = [j.id for j in table.list(owner, most)], table.count(owner)
        table.close()
    theirs = sorted((j for j in made if owner in (None, j.owner) and not j.gone), key=lambda j: (j.created, j.id))
    newest = theirs if most is None else theirs[-most:]
    assert found == [j.id for j in theirs if j in newest or j.status in UNFINISHED]
    assert count == len(theirs)


def test_what_is_not_there(table) -> None:
    with pytest.raises(NotFoundError, match="not known"):
        table.get("nothing")
    with pytest.raises(NotFoundError):
        table.update("nothing", fraction=1.0)
    table.add(job("a"))
    table.delete("a")
    assert not table.list("ada")


def test_a_file_of_a_newer_server_is_left_alone(tmp_path) -> None:
    path = tmp_path / "jobs.sqlite"
    JobTable(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("PRAGMA user_version = 99"))
    engine.dispose()
    with pytest.raises(ServerError, match="version 99"):
        JobTable(path)


def test_a_card_tells_what_the_protocol_promises() -> None:
    card = job("a", status="running", fraction=0.5, message="1 of 2 blocks").card()
    assert set(card) == {"id", "technique", "status", "fraction", "message", "created", "priority", "lease_until", "error"}
    assert card["technique"] == "gaussian_blur"
