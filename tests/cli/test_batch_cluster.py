"""Files on the workers of a real cluster: the same results, and what is lost costs time only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest
from tests.cli.processes import (
    SLOW,
    check_blurred,
    entries,
    left_overs,
    let_go,
    lines,
    until,
    write_big,
    write_images,
    write_recipe,
)

import napari_lightbox as lb

pytestmark = [
    pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra server"),
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and named pipes"),
]


def at_work(dask_worker):
    """The process of a worker and the files it is at."""
    return os.getpid(), [ts.key for ts in dask_worker.state.executing if str(ts.key).startswith("lightbox-file")]


def workers_at(cluster):
    return [pid for pid, keys in cluster.client.run(at_work, on_error="ignore").values() if keys]


def test_the_same_results_as_here(cluster, scheduler, lightbox, tmp_path) -> None:
    files = write_images(tmp_path / "in" / "a", 4) + write_images(tmp_path / "in" / "b", 4)
    (tmp_path / "in" / "broken.tif").write_bytes(b"II*\x00nothing")
    recipe = write_recipe(tmp_path)
    code, _, err = lightbox("batch", recipe, tmp_path / "in", "-o", tmp_path / "far", "--scheduler", scheduler)
    assert code == 1
    assert "8 of 9 done, 1 failed" in err
    lightbox("batch", recipe, tmp_path / "in", "-o", tmp_path / "near")
    far, near = entries(tmp_path / "far"), entries(tmp_path / "near")
    assert far["broken.tif"]["message"] == near["broken.tif"]["message"]
    for path in files:
        place = path.relative_to(tmp_path / "in")
        assert (tmp_path / "far" / place).read_bytes() == (tmp_path / "near" / place).read_bytes()
    assert not left_overs(tmp_path)


def test_relative_paths_mean_the_same_there(cluster, scheduler, lightbox, tmp_path, monkeypatch) -> None:
    (path,) = write_images(tmp_path / "in", 1)
    write_recipe(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, _, err = lightbox("batch", "recipe.json", "in/image000.tif", "-o", "out", "--scheduler", scheduler)
    assert code == 0, err
    check_blurred(path, tmp_path / "out" / "image000.tif")


def test_lazy_arrays_are_computed_by_the_worker(cluster, scheduler, lightbox, tmp_path) -> None:
    """OME-Zarr is read and written block by block, which dask would send back to the scheduler."""
    (path,) = write_images(tmp_path / "in", 1, (300, 400))
    (image,) = lb.read(path)
    lb.write(tmp_path / "big.ome.zarr", image)
    code, _, err = lightbox("batch", write_recipe(tmp_path), tmp_path / "big.ome.zarr", "-o", tmp_path / "out",
                            "--scheduler", scheduler)  # fmt: skip
    assert code == 0, err
    check_blurred(path, tmp_path / "out" / "big.ome.zarr")


def test_a_log_is_replayed_there(blobs, cluster, scheduler, lightbox, tmp_path) -> None:
    from tests.cli.test_logs import painted

    log, organs = painted(blobs, tmp_path)
    out = tmp_path / "out"
    code, _, _ = lightbox("batch", log, blobs["image"], blobs["labels"], "-o", out, "--scheduler", scheduler)
    assert code == 1
    assert (lb.read(out / "image.nii.gz")[0].data == organs).all()
    assert "Give the image it was made on" in entries(out)["labels.nii.gz"]["message"]


def test_three_hundred_files(cluster, scheduler, lightbox, tmp_path) -> None:
    files = write_images(tmp_path / "in", 300)
    code, _, err = lightbox("batch", write_recipe(tmp_path), tmp_path / "in", "-o", tmp_path / "out", "--scheduler", scheduler)
    assert code == 0, err
    assert "300 of 300 done" in err
    for path in (files[0], files[150], files[299]):
        check_blurred(path, tmp_path / "out" / path.name)


def test_few_files_are_on_their_way_at_a_time(cluster, tmp_path) -> None:
    """The scheduler never knows of more files than the workers need."""
    from napari_lightbox.cli.batch_file import FileTask
    from napari_lightbox.cli.batch_work import read_work
    from napari_lightbox.cli.batch_workers import Workers

    files = write_images(tmp_path / "in", 12)
    tasks = [FileTask(str(f), (str(f),), tmp_path / "out" / f.name, "") for f in files]
    with Workers(cluster.client, read_work(write_recipe(tmp_path), False), tmp_path) as workers:
        assert workers.free() == 8
        for task in tasks[:8]:
            workers.start(task)
        assert workers.free() == 0
        done = []
        until(lambda: done.extend(workers.finished()) or len(done) == 8)
        assert workers.free() == 8
    assert {entry.status for _, entry in done} == {"done"}


def test_lost_workers_cost_time_only(cluster, scheduler, start, tmp_path) -> None:
    """The second loss sets the file aside; its last attempt, alone, goes well."""
    files = write_images(tmp_path / "in", 6)
    waits, out, recipe = tmp_path / "in" / "waits.tif", tmp_path / "out", write_recipe(tmp_path)
    os.mkfifo(waits)
    process = start("batch", recipe, *files[:3], waits, *files[3:], "-o", out, "--scheduler", scheduler)
    # who reads a named pipe stands still until somebody writes
    process.until(lambda: lines(out) == 6)
    victims = set()
    for _ in range(2):
        (victim,) = process.until(lambda: [pid for pid in workers_at(cluster) if pid not in victims])
        victims.add(victim)
        os.kill(victim, signal.SIGKILL)
    process.until(lambda: [pid for pid in workers_at(cluster) if pid not in victims])
    let_go(waits, files[0])
    assert process.wait() == 0, process.said
    assert "7 of 7 done" in process.said
    check_blurred(files[0], out / "waits.tif")
    assert not left_overs(out)
    until(lambda: len(cluster.workers()) == 2)


def test_a_file_that_ends_its_worker_three_times_fails_alone(cluster, scheduler, start, tmp_path) -> None:
    files = write_images(tmp_path / "in", 4)
    os.mkfifo(tmp_path / "in" / "deadly.tif")
    out = tmp_path / "out"
    process = start("batch", write_recipe(tmp_path), tmp_path / "in" / "deadly.tif", *files, "-o", out, "--scheduler", scheduler)

    def begun():
        return [path.stat().st_size for path in out.glob(".lightbox-attempts-*/0")]

    for attempt in (1, 2, 3):
        process.until(lambda attempt=attempt: begun() == [attempt])
        process.until(lambda: lines(out) == 4)
        for pid in process.until(lambda: workers_at(cluster)):
            os.kill(pid, signal.SIGKILL)
    assert process.wait() == 1
    told = entries(out)
    assert told.pop("deadly.tif")["message"].startswith(
        f"{tmp_path / 'in' / 'deadly.tif'}: ended the worker that it was on 3 times. "
    )
    assert {e["status"] for e in told.values()} == {"done"}
    assert not left_overs(out)
    until(lambda: len(cluster.workers()) == 2)


def test_ctrl_c_frees_the_workers(cluster, scheduler, start, tmp_path) -> None:
    big = write_big(tmp_path / "big.nii")
    files = write_images(tmp_path / "in", 2)
    out = tmp_path / "out"
    process = start("batch", write_recipe(tmp_path, SLOW), *files, big, "-o", out, "--scheduler", scheduler)
    process.until(lambda: lines(out) == 2 and workers_at(cluster))
    assert process.send(signal.SIGINT) in (130, -signal.SIGINT), process.said
    assert "cancelled" in process.said
    assert "Traceback" not in process.said
    until(lambda: not workers_at(cluster))
    assert {name: e["status"] for name, e in entries(out).items()} == {
        "image000.tif": "done",
        "image001.tif": "done",
        "big.nii": "not run",
    }
    assert not (out / "big.nii").exists()
    until(lambda: not left_overs(out))


def test_a_batch_that_is_killed_frees_the_workers_and_goes_on(cluster, scheduler, start, lightbox, tmp_path) -> None:
    files = write_images(tmp_path / "in", 5)
    big = write_big(tmp_path / "in" / "big.nii")
    out, recipe = tmp_path / "out", write_recipe(tmp_path, SLOW)
    process = start("batch", recipe, *files, big, "-o", out, "--scheduler", scheduler)
    process.until(lambda: lines(out) == 5 and workers_at(cluster))
    process.send(signal.SIGKILL)
    until(lambda: not workers_at(cluster))
    until(lambda: not [p for p in left_overs(out) if "attempts" not in p])
    assert not (out / "big.nii").exists()
    stamps = {path.name: (out / path.name).stat().st_mtime_ns for path in files}
    big.unlink()
    code, _, err = lightbox("batch", recipe, *files, *write_images(tmp_path / "more", 6)[5:], "-o", out, "--resume")
    assert code == 0, err
    assert err.count("finished before") == 5
    assert stamps == {path.name: (out / path.name).stat().st_mtime_ns for path in files}
    assert not left_overs(out)


@pytest.mark.long
def test_a_cluster_that_goes_away_stops_the_batch(start, tmp_path) -> None:
    code = (
        "from distributed import LocalCluster; "
        "cluster = LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None); "
        "print(cluster.scheduler_address, flush=True); input()"
    )
    files, out = write_images(tmp_path / "in", 2), tmp_path / "out"
    os.mkfifo(tmp_path / "waits.tif")
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = other.stdout.readline().strip()
        process = start("batch", write_recipe(tmp_path), *files, tmp_path / "waits.tif", "-o", out, "--scheduler", address)
        process.until(lambda: lines(out) == 2)
    finally:
        other.kill()
        other.communicate()
    assert process.wait() == 2
    assert "does not answer any more" in process.said
    assert {name: e["status"] for name, e in entries(out).items()} == {
        "image000.tif": "done",
        "image001.tif": "done",
        "waits.tif": "not run",
    }


def test_processes_of_its_own(start, tmp_path) -> None:
    """`local:2` starts two workers; Ctrl-C ends them and leaves nothing half-written."""
    import psutil

    files = write_images(tmp_path / "in", 3)
    big = write_big(tmp_path / "big.nii")
    out = tmp_path / "out"
    process = start("batch", write_recipe(tmp_path, SLOW), *files, big, "-o", out, "--scheduler", "local:2")
    process.until(lambda: lines(out) == 3)
    children = psutil.Process(process.process.pid).children(recursive=True)
    assert len(children) >= 2
    assert process.send(signal.SIGINT) in (130, -signal.SIGINT), process.said
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
    assert "Traceback" not in process.said
    assert sorted(path.name for path in out.iterdir()) == [
        *(path.name for path in files),
        "ledger.jsonl",
        "report.csv",
        "report.json",
    ]
    (found,) = lb.read(out / files[0].name)
    (image,) = lb.read(files[0])
    assert (found.data == lb.apply("median_filter", image, size=5).data).all()


@pytest.mark.long
def test_workers_end_with_a_batch_that_is_killed(start, tmp_path) -> None:
    import psutil

    os.mkfifo(tmp_path / "waits.tif")
    process = start("batch", write_recipe(tmp_path), *write_images(tmp_path / "in", 1), tmp_path / "waits.tif",
                    "-o", tmp_path / "out", "--scheduler", "local:1")  # fmt: skip
    process.until(lambda: lines(tmp_path / "out") == 1)
    children = psutil.Process(process.process.pid).children(recursive=True)
    process.send(signal.SIGKILL)
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
    assert json.loads((tmp_path / "out" / "ledger.jsonl").read_text())["status"] == "done"


def test_a_scheduler_that_is_not_there(lightbox, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("napari_lightbox.server.cluster.start.CONNECTING_SECONDS", 0.5)
    (path,) = write_images(tmp_path / "in", 1)
    command = ["batch", write_recipe(tmp_path), path, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1"]
    code, _, err = lightbox(*command)
    assert code == 2
    assert "does not answer" in err
    assert not (tmp_path / "out" / "report.json").exists()
