"""The folders of arrays are put far from each other where the disk can do that, and nothing fails where it cannot."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from napari_lightbox.server.store import Objects, Results
from napari_lightbox.server.store.apart import folders_apart

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this attribute")


def attributes(folder: Path) -> str:
    """Return what `lsattr` says, which knows the attributes from elsewhere; skip where the disk has none."""
    try:
        found = subprocess.run(["lsattr", "-d", str(folder)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("lsattr is not installed")
    if found.returncode or "e" not in found.stdout.split()[0]:
        pytest.skip(f"{folder} is on no ext4: {found.stdout or found.stderr}")
    return found.stdout.split()[0]


@LINUX
def test_the_attribute_is_set_and_others_stay(tmp_path) -> None:
    before = attributes(tmp_path)
    assert "T" not in before
    assert folders_apart(tmp_path) == tmp_path
    assert set(attributes(tmp_path)) == set(before) | {"T"}
    assert folders_apart(tmp_path) == tmp_path
    assert set(attributes(tmp_path)) == set(before) | {"T"}


@LINUX
@pytest.mark.parametrize("kind", [Objects, Results])
def test_what_comes_and_goes_lies_apart(tmp_path, kind) -> None:
    assert "T" in attributes(kind(tmp_path / "store").folder)


@LINUX
@pytest.mark.parametrize("number", [errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM])
def test_a_disk_without_it_is_used_as_it_is(tmp_path, monkeypatch, number) -> None:
    def refuse(*_: object) -> bytes:
        raise OSError(number, "refused")

    monkeypatch.setattr("fcntl.ioctl", refuse)
    assert folders_apart(tmp_path) == tmp_path


def test_other_systems_are_not_asked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert folders_apart(tmp_path) == tmp_path


@LINUX
def test_a_folder_that_is_not_there(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        folders_apart(tmp_path / "missing")
