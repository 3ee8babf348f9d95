"""Files, folders and patterns, and where the results go."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cli.processes import write_images

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.cli.batch_inputs import find_inputs, place_results
from napari_lightbox.errors import FormatError, InputError


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """A tree of pictures, tables, hidden files, an OME-Zarr and two DICOM series."""
    root = tmp_path / "scans"
    for place in ("one", "two", "two/deep", ".hidden"):
        write_images(root / place, 2)
    volume = Volume(np.arange(48, dtype=np.int16).reshape(3, 4, 4), Geometry.of("zyx", (3, 4, 4), None, None, ("mm",) * 3))
    lb.write(root / "v.ome.zarr", volume)
    (root / "patient").mkdir()
    for series in ("ct1", "ct2"):
        lb.write(root / "patient" / series, volume)
    (root / "one" / "notes.csv").write_text("a\n1\n")
    (root / "one" / "notes.txt").write_text("words")
    (root / "one" / ".thumb.tif").touch()
    (root / "two" / "pair.hdr").touch()
    (root / "two" / "pair.img").touch()
    (root / "two" / "raw.mhd").touch()
    (root / "two" / "raw.raw").write_bytes(b"\x08\x00" * 20)
    monkeypatch.chdir(tmp_path)
    return root


def found(scans, *texts, output="out", ending=None):
    """Inputs and results, both as they lie below the folder of the test."""
    base = scans.parent
    targets = place_results(find_inputs(texts, base / output), base / output, ending)
    return {str(a.relative_to(base)): str(b.relative_to(base)) for a, b in targets.items()}


def test_a_folder_keeps_its_structure(scans) -> None:
    assert found(scans, "scans") == {
        "scans/one/image000.tif": "out/one/image000.tif",
        "scans/one/image001.tif": "out/one/image001.tif",
        "scans/patient/ct1": "out/patient/ct1.nii.gz",
        "scans/patient/ct2": "out/patient/ct2.nii.gz",
        "scans/two/deep/image000.tif": "out/two/deep/image000.tif",
        "scans/two/deep/image001.tif": "out/two/deep/image001.tif",
        "scans/two/image000.tif": "out/two/image000.tif",
        "scans/two/image001.tif": "out/two/image001.tif",
        "scans/two/pair.hdr": "out/two/pair.ome.tif",
        "scans/two/raw.mhd": "out/two/raw.nii.gz",
        "scans/v.ome.zarr": "out/v.ome.zarr",
    }


def test_a_folder_that_is_one_image_is_one_input(scans) -> None:
    assert found(scans, "scans/v.ome.zarr", "scans/patient/ct1/", ending=".nii") == {
        "scans/v.ome.zarr": "out/v.nii",
        "scans/patient/ct1": "out/ct1.nii",
    }


def test_patterns_keep_what_follows_their_fixed_part(scans) -> None:
    assert found(scans, "scans/*/image000.tif") == {
        "scans/one/image000.tif": "out/one/image000.tif",
        "scans/two/image000.tif": "out/two/image000.tif",
    }
    assert found(scans, str(scans / "two" / "**" / "*1.tif")) == {
        "scans/two/deep/image001.tif": "out/deep/image001.tif",
        "scans/two/image001.tif": "out/image001.tif",
    }
    # slices of a series that fits as a whole are not taken one by one
    assert list(found(scans, "scans/patient/**")) == ["scans/patient/ct1", "scans/patient/ct2"]


def test_files_of_the_same_name_lie_apart(scans) -> None:
    both = found(scans, "scans/two/deep/image000.tif", "scans/one/image000.tif", "scans/one/image001.tif")
    assert list(both.values()) == ["out/two/deep/image000.tif", "out/one/image000.tif", "out/one/image001.tif"]
    assert found(scans, "scans/two/deep", "scans/one")["scans/one/image001.tif"] == "out/one/image001.tif"
    assert found(scans, "scans/two/deep/image000.tif", "scans/one/image001.tif") == {
        "scans/two/deep/image000.tif": "out/image000.tif",
        "scans/one/image001.tif": "out/image001.tif",
    }


def test_each_input_is_taken_once(scans) -> None:
    twice = found(scans, "scans/one/image000.tif", "scans/one", "./scans/one/../one/image000.tif", str(scans / "one"))
    assert list(twice) == ["scans/one/image000.tif", "scans/one/image001.tif"]


def test_results_of_before_are_no_inputs(scans) -> None:
    write_images(scans / "results" / "one", 2)
    assert not any("results" in path for path in found(scans, "scans", output="scans/results"))
    assert not any("results" in path for path in found(scans, "scans/*/*.tif", output="scans/results"))
    # named by themselves they are: a second recipe may follow the first
    assert list(found(scans, "scans/results/one", output="scans/results", ending=".png").values()) == [
        "scans/results/image000.png",
        "scans/results/image001.png",
    ]


def test_what_cannot_be_is_refused(scans, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    for text in ("empty", "scans/*.nii", "scans/[0-9]*"):
        with pytest.raises(InputError, match="holds no image"):
            found(scans, text)
    with pytest.raises(InputError, match="same result"):
        found(scans, "scans/one/image000.tif", "scans/one/image000.png", ending=".tif")
    with pytest.raises(InputError, match="take the place of"):
        found(scans, "scans/one", output="scans/one")
    with pytest.raises(FormatError, match="no writer"):
        found(scans, "scans/one", ending=".xyz")
    # a file that is missing is found out when its turn comes
    assert found(scans, "scans/none.tif") == {"scans/none.tif": "out/none.tif"}


def test_names_with_wildcards_in_them(scans, tmp_path, monkeypatch) -> None:
    odd = tmp_path / "scan [1]"
    write_images(odd, 1)
    (odd / "image000.tif").rename(odd / "a[b].tif")
    assert list(found(scans, "scan [1]/a[b].tif")) == ["scan [1]/a[b].tif"]
    monkeypatch.chdir(odd)
    assert [one.path.name for one in find_inputs(["*.tif"], tmp_path / "out")] == ["a[b].tif"]
