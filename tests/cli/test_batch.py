from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.processes import check_blurred, entries, write_images, write_recipe, written_down

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.cli import batch_ledger

RECIPE = {
    "lightbox_recipe": 1,
    "steps": [
        {"technique": "gaussian_blur", "parameters": {"sigma": 1.0}},
        {"technique": "invert_intensity", "inputs": ["step:0"]},
    ],
}


BOTH = {
    "lightbox_recipe": 1,
    "steps": [{"technique": "histogram_matching", "inputs": ["input", "input:1"]}],
}


@pytest.fixture
def folder(tmp_path):
    """Two good files, one broken one, and a recipe of two steps."""
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    for number in range(2):
        data = np.random.default_rng(number).integers(0, 200, (16, 20), dtype=np.uint8)
        lb.write(tmp_path / f"good{number}.tif", Volume(data, Geometry.of("yx", data.shape)))
    (tmp_path / "broken.tif").write_bytes(b"II*\x00nothing")
    return tmp_path


def test_a_broken_file_does_not_stop_the_others(folder, lightbox):
    files = [folder / n for n in ("good0.tif", "broken.tif", "good1.tif")]
    code, _, err = lightbox("batch", folder / "recipe.json", *files, "-o", folder / "out")
    assert code == 1
    assert "2 of 3 done" in err
    assert sorted(p.name for p in (folder / "out").iterdir()) == [
        "good0.tif",
        "good1.tif",
        "ledger.jsonl",
        "report.csv",
        "report.json",
    ]
    report = {Path(e["input"]).name: e for e in json.loads((folder / "out" / "report.json").read_text())["entries"]}
    assert [report[n]["status"] for n in ("good0.tif", "broken.tif", "good1.tif")] == ["done", "failed", "done"]
    assert report["broken.tif"]["message"]
    (source,), (result,) = lb.read(files[0]), lb.read(folder / "out" / "good0.tif")
    expected = lb.apply("invert_intensity", lb.apply("gaussian_blur", np.asarray(source.data), sigma=1.0))
    np.testing.assert_array_equal(result.data, expected)


def test_resume_redoes_nothing_that_is_finished(folder, lightbox):
    files = [folder / n for n in ("good0.tif", "broken.tif")]
    out = folder / "out"
    lightbox("batch", folder / "recipe.json", *files, "-o", out)
    stamp = (out / "good0.tif").stat().st_mtime_ns
    code, _, err = lightbox("batch", folder / "recipe.json", *files, folder / "good1.tif", "-o", out, "--resume")
    assert code == 1  # the broken file was tried again
    assert "good0.tif: finished before" in err
    assert (out / "good0.tif").stat().st_mtime_ns == stamp
    assert (out / "good1.tif").exists()


@pytest.mark.parametrize("change", ["recipe", "input", "result gone"])
def test_resume_notices_changes(change, folder, lightbox):
    arguments = ["batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", "--resume"]
    lightbox(*arguments)
    result = folder / "out" / "good0.tif"
    if change == "recipe":
        (folder / "recipe.json").write_text(json.dumps({**RECIPE, "name": "other"}))
    elif change == "input":
        os.utime(folder / "good0.tif", (1, 1))
    else:
        result.unlink()
    _, _, err = lightbox(*arguments)
    assert "finished before" not in err
    assert result.exists()
    assert "finished before" in lightbox(*arguments)[2]


def test_same_name_from_two_folders(folder, lightbox):
    for place in ("a", "b"):
        (folder / place).mkdir()
        (folder / place / "scan.tif").write_bytes((folder / "good0.tif").read_bytes())
    code, _, _ = lightbox("batch", folder / "recipe.json", folder / "a/scan.tif", folder / "b/scan.tif", "-o", folder / "out")
    assert code == 0
    assert sorted(p.relative_to(folder / "out").as_posix() for p in (folder / "out").rglob("*.tif")) == [
        "a/scan.tif",
        "b/scan.tif",
    ]


def test_further_inputs_follow_a_pattern(blobs, lightbox, tmp_path):
    recipe = {
        "lightbox_recipe": 1,
        "steps": [
            {"technique": "marker_controlled_watershed", "inputs": ["input", "input:1"], "parameters": {"watershed_line": False}}
        ],
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    code, _, err = lightbox(
        "batch", tmp_path / "recipe.json", blobs["image"], "-o", tmp_path / "out", "--with", "{folder}/seeds.nii.gz"
    )
    assert code == 0, err
    (found,) = lb.read(tmp_path / "out" / "image.nii.gz")
    assert np.unique(np.asarray(found.data)).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "JSON"),
        ('{"steps": []}', "lightbox_recipe"),
        ('{"lightbox_recipe": 1, "steps": [{"technique": "nothing"}]}', "nothing"),
    ],
)
def test_a_bad_recipe_stops_before_any_file(text, words, folder, lightbox):
    (folder / "recipe.json").write_text(text)
    code, _, err = lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out")
    assert code == 2
    assert words in err
    assert not (folder / "out").exists()


def test_format_can_be_chosen(folder, lightbox):
    lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", "--format", ".png")
    assert (folder / "out" / "good0.png").exists()
    code, _, err = lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", "--format", ".xyz")
    assert code == 2
    assert "no writer" in err


def test_a_recipe_becomes_a_script_that_gives_the_same_pixels(folder, lightbox):
    code, out, err = lightbox("script", folder / "recipe.json")
    assert code == 0, err
    assert lightbox("script", folder / "recipe.json", "-o", folder / "run.py")[0] == 0
    assert (folder / "run.py").read_text() == out.replace("script.py", "run.py")
    subprocess.run([sys.executable, folder / "run.py", folder / "good0.tif", "-o", folder / "scripted.tif"], check=True)
    lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out")
    (scripted,), (batched,) = lb.read(folder / "scripted.tif"), lb.read(folder / "out" / "good0.tif")
    np.testing.assert_array_equal(scripted.data, batched.data)


def test_a_newer_recipe_is_refused_with_both_versions(folder, lightbox):
    (folder / "recipe.json").write_text(json.dumps({**RECIPE, "lightbox_recipe": 7, "version": "3.1"}))
    code, _, err = lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out")
    assert code == 2
    assert "format 7 (written by napari-lightbox 3.1)" in err


def test_the_report_says_what_became_of_each_file(folder, lightbox):
    files = [folder / n for n in ("good0.tif", "broken.tif", "missing.tif")]
    code, _, err = lightbox("batch", folder / "recipe.json", *files, "-o", folder / "out")
    assert code == 1
    assert "1 of 3 done, 2 failed in " in err
    with (folder / "out" / "report.csv").open(newline="") as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    assert [row["status"] for row in rows.values()] == ["done", "failed", "failed"]
    assert rows["good0.tif"]["outputs"] == str(folder / "out" / "good0.tif")
    assert float(rows["good0.tif"]["seconds"]) >= 0
    assert "Copy it again from its source" in rows["broken.tif"]["error"]
    assert rows["missing.tif"]["error"].endswith("does not exist. Check the path; it may have been moved or renamed")
    assert rows["missing.tif"]["outputs"] == rows["good0.tif"]["error"] == ""


def test_stop_on_error_leaves_the_rest(folder, lightbox):
    files = [folder / n for n in ("broken.tif", "good0.tif", "good1.tif")]
    code, _, err = lightbox("batch", folder / "recipe.json", *files, "-o", folder / "out", "--stop-on-error", "-j", "1")
    assert code == 1
    assert "1 failed, 2 not run" in err
    assert not (folder / "out" / "good0.tif").exists()
    assert {e["status"] for e in entries(folder / "out").values()} == {"failed", "not run"}
    code, _, err = lightbox("batch", folder / "recipe.json", *files, "-o", folder / "out", "--resume", "--keep-going")
    assert code == 1
    assert "2 of 3 done, 1 failed" in err


def test_ctrl_c_while_a_line_is_written_leaves_no_finished_file_out(folder, lightbox, monkeypatch):
    append = batch_ledger._append

    def interrupted(file, line):
        append(file, line)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch_ledger, "_append", interrupted)
    files, out = [folder / "good0.tif", folder / "good1.tif"], folder / "out"
    code, _, err = lightbox("batch", folder / "recipe.json", *files, "-o", out, "-j", "1")
    assert code == 130
    assert "1 of 2 done, 1 not run" in err
    assert written_down(out) == ["good0.tif"]
    assert [entries(out)[path.name]["status"] for path in files] == ["done", "not run"]


@pytest.mark.parametrize("extra", [[], ["--format", ".png"]], ids=["further input", "format"])
def test_resume_notices_what_else_matters(extra, folder, lightbox):
    (folder / "recipe.json").write_text(json.dumps(BOTH))
    command = ["batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", "--resume"]
    with_other = ["--with", str(folder / "good1.tif")]
    lightbox(*command, *with_other)
    assert "finished before" in lightbox(*command, *with_other)[2]
    if not extra:
        os.utime(folder / "good1.tif", (1, 1))
    code, _, err = lightbox(*command, *with_other, *extra)
    assert code == 0, err
    assert "finished before" not in err


def test_a_run_without_resume_does_all_again(folder, lightbox):
    arguments = ["batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out"]
    lightbox(*arguments)
    stamp = (folder / "out" / "good0.tif").stat().st_mtime_ns
    assert "finished before" not in lightbox(*arguments)[2]
    assert (folder / "out" / "good0.tif").stat().st_mtime_ns != stamp


def test_the_folder_may_be_named_in_another_way(folder, lightbox, monkeypatch):
    monkeypatch.chdir(folder)
    lightbox("batch", "recipe.json", "good0.tif", "-o", "out")
    code, _, err = lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", "--resume")
    assert code == 0
    assert "finished before" in err


def test_a_folder_of_many(tmp_path, lightbox):
    """All done, each in its place."""
    for place in ("a", "b", "c"):
        write_images(tmp_path / "in" / place, 40)
    code, _, err = lightbox("batch", write_recipe(tmp_path), tmp_path / "in", "-o", tmp_path / "out")
    assert code == 0, err
    assert "120 of 120 done" in err
    results = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.tif"))
    assert results == sorted(p.relative_to(tmp_path / "in").as_posix() for p in (tmp_path / "in").rglob("*.tif"))
    for name in ("a/image000.tif", "b/image022.tif", "c/image039.tif"):
        check_blurred(tmp_path / "in" / name, tmp_path / "out" / name)
    code, _, err = lightbox("batch", tmp_path / "recipe.json", tmp_path / "in", "-o", tmp_path / "out", "--resume")
    assert code == 0
    assert err.count("finished before") == 120


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["-j", "0"], "at least 1"),
        (["--scheduler", "somewhere"], "tcp://host:8786"),
        (["--scheduler", "local:0"], "no processes"),
        (["--scheduler", "local", "--server", "http://127.0.0.1:1"], "two places"),
        (["--token-file", "x"], "--server URL"),
        (["--server", "127.0.0.1"], "no http or https address"),
        (["--keep-going", "--stop-on-error"], "not allowed with"),
    ],
)
def test_options_that_make_no_sense(extra, words, folder, lightbox):
    code, _, err = lightbox("batch", folder / "recipe.json", folder / "good0.tif", "-o", folder / "out", *extra)
    assert code == 2
    assert words in err
    assert not (folder / "out" / "good0.tif").exists()
