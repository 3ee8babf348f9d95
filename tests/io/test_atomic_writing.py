"""A crash, a cancel or a full disk leaves the old file or none, never half of one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.errors import CancelledError, WriteError
from napari_lightbox.io import atomic

VOLUMES = ("nii", "nii.gz", "mha", "mhd", "nrrd", "nhdr", "tif", "ome.tif", "ome.zarr", "series", "avi", "mp4", "gif")
linux_only = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist on Windows")


def path_for(folder: Path, kind: str) -> Path:
    return folder / ("series" if kind == "series" else f"a.{kind}")


def volume_for(kind: str, value: int, lazy: bool = False) -> Volume:
    import dask.array as da

    moving = kind in ("avi", "mp4", "gif")
    dtype, axes = ("uint8", "tyx") if moving else ("int16", "zyx")
    data = np.full((6, 16, 16), value, dtype)
    return Volume(da.from_array(data, chunks=(1, 16, 16)) if lazy else data, Geometry(axes, data.shape))


def visible(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if not any(q.startswith(".lightbox") for q in p.relative_to(folder).parts))


def in_child(action: Callable[[], None]) -> int:
    """Run `action` in a forked process; return the signal that ended it, 0 when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            with dask.config.set(pool=ThreadPoolExecutor(2)):
                action()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def write_and_die(path: Path, kind: str, when: str) -> None:
    def block(part: np.ndarray, block_info: Any = None) -> np.ndarray:
        if when == "chunk" and block_info[0]["chunk-location"][0] == 4:
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    def progress(fraction: float) -> None:
        if when == "progress":
            os.kill(os.getpid(), signal.SIGKILL)

    volume = volume_for(kind, 9, lazy=True)
    data = volume.data.map_blocks(block, dtype=volume.dtype)
    lb.write(path, volume.with_data(data), progress=progress)


@linux_only
@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize("when", ["chunk", "progress"])
def test_killed_in_the_middle(tmp_path, kind, when):
    path = path_for(tmp_path, kind)
    lb.write(path, volume_for(kind, 3))
    before, content = visible(tmp_path), np.asarray(lb.read(path)[0].data)
    assert in_child(lambda: write_and_die(path, kind, when)) == signal.SIGKILL
    assert visible(tmp_path) == before
    np.testing.assert_array_equal(np.asarray(lb.read(path)[0].data), content)
    fresh = path.with_name("new" if kind == "series" else f"new.{kind}")
    assert in_child(lambda: write_and_die(fresh, kind, when)) == signal.SIGKILL
    assert not fresh.exists()
    lb.write(path, volume_for(kind, 5))
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".lightbox")], "left-overs of the dead writers stay"


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("kind", VOLUMES)
def test_cancel_leaves_nothing(tmp_path, kind, lazy):
    path = path_for(tmp_path, kind)

    def stop(fraction: float) -> None:
        raise CancelledError("writing", "was stopped", "Start it again")

    with pytest.raises(CancelledError):
        lb.write(path, volume_for(kind, 1, lazy), progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", VOLUMES)
def test_progress_rises_to_one(tmp_path, kind):
    seen: list[float] = []
    lb.write(path_for(tmp_path, kind), volume_for(kind, 1, lazy=True), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", VOLUMES)
def test_full_disk(tmp_path, kind, monkeypatch):
    path = path_for(tmp_path, kind)
    lb.write(path, volume_for(kind, 3))
    content = np.asarray(lb.read(path)[0].data)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "_sync", full)
    with pytest.raises(WriteError, match="no space left") as caught:
        lb.write(path, volume_for(kind, 9))
    assert caught.value.subject == str(path)
    monkeypatch.undo()
    np.testing.assert_array_equal(np.asarray(lb.read(path)[0].data), content)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".lightbox")]


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits are set as on Linux")
@pytest.mark.parametrize("kind", [k for k in VOLUMES if k not in ("series", "ome.zarr")])
def test_the_system_runs_out_of_room_for_real(tmp_path, kind):
    import resource

    path, said = path_for(tmp_path, kind), tmp_path / "said"
    said.mkdir()

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        volume = volume_for(kind, 1)
        noise = np.random.default_rng(0).integers(0, 255, (24, 96, 96)).astype(volume.dtype)
        try:
            lb.write(path, Volume(noise, Geometry(volume.axes, noise.shape)))
        except WriteError as error:
            (said / "error").write_text(str(error))

    assert in_child(write) == 0
    message = (said / "error").read_text()
    assert message.startswith(str(path))
    assert "space" in message
    assert list(tmp_path.iterdir()) == [said]


def test_error_in_the_data_passes_unchanged(tmp_path):
    import dask.array as da

    def broken(block: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError("in the recipe")

    data = da.zeros((4, 8, 8), dtype="int16", chunks=(1, 8, 8)).map_blocks(broken, dtype="int16")
    for kind in VOLUMES[:9]:
        with pytest.raises(ZeroDivisionError):
            lb.write(path_for(tmp_path, kind), Volume(data, Geometry("zyx", data.shape)))
    assert list(tmp_path.iterdir()) == []


def test_a_file_can_be_rewritten_from_itself(tmp_path):
    for kind in ("nii", "tif", "ome.zarr", "mhd"):
        path = path_for(tmp_path, kind)
        lb.write(path, volume_for(kind, 3))
        (volume,) = lb.read(path)
        lb.write(path, volume.with_data(volume.data + 1))
        assert np.asarray(lb.read(path)[0].data).max() == 4


def test_foreign_folders_are_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for name in ("mine", "mine/../mine"):
        with pytest.raises(WriteError, match="holds something else"):
            lb.write(tmp_path / name, volume_for("series", 1))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_missing_folder_and_folder_as_file(tmp_path):
    with pytest.raises(WriteError, match="does not exist"):
        lb.write(tmp_path / "no" / "a.nii", volume_for("nii", 1))
    (tmp_path / "a.nii").mkdir()
    with pytest.raises(WriteError, match="is a folder"):
        lb.write(tmp_path / "a.nii", volume_for("nii", 1))


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "a.nii"
    lb.write(path, volume_for("nii", 3))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WriteError, match="permission denied") as caught:
        lb.write(path, volume_for("nii", 4))
    assert "Choose a folder" in caught.value.way_out


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_on_the_folder(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="permission denied"):
            lb.write(tmp_path / "a.nii", volume_for("nii", 3))
    finally:
        tmp_path.chmod(0o700)


def test_mode_and_link_survive(tmp_path):
    path, link = tmp_path / "a.nii", tmp_path / "link.nii"
    lb.write(path, volume_for("nii", 3))
    path.chmod(0o640)
    link.symlink_to(path)
    lb.write(link, volume_for("nii", 4))
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert np.asarray(lb.read(path)[0].data).max() == 4


def test_interrupted_swap_of_folders_is_undone(tmp_path, monkeypatch):
    """Where folders cannot be exchanged in one step, a crash between the two renames is repaired by the next reader."""
    path = tmp_path / "a.ome.zarr"
    lb.write(path, volume_for("ome.zarr", 3))
    dead = subprocess.Popen([sys.executable, "--version"])
    dead.wait()
    aside = tmp_path / f".lightbox-old-{atomic._HOST}-{dead.pid}-0123abcd-a.ome.zarr"
    path.rename(aside)
    assert np.asarray(lb.read(path)[0].data).max() == 3
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    lb.write(path, volume_for("ome.zarr", 8))
    assert np.asarray(lb.read(path)[0].data).max() == 8
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_left_overs_of_living_writers_stay(tmp_path):
    alive = tmp_path / f".lightbox-new-{atomic._HOST}-{os.getpid()}-0123abcd-a.nii"
    elsewhere = tmp_path / ".lightbox-new-otherhost-1-0123abcd-a.nii"
    alive.touch()
    elsewhere.touch()
    lb.write(tmp_path / "a.nii", volume_for("nii", 3))
    assert alive.exists()
    assert elsewhere.exists()


def test_tables_are_atomic_too(tmp_path):
    path = tmp_path / "a.csv"
    lb.write(path, Table({"a": np.arange(3)}))

    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lb.write(path, Table({"a": np.arange(9)}), progress=stop)
    assert len(lb.read(path)[0]) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
