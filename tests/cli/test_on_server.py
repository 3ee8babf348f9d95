"""`--server`: the same results as here, and nothing stays behind on the server."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from tests.cli.processes import SLOW, check_blurred, entries, until, write_big, write_images, write_recipe
from tests.client.serving import OTHER_TOKEN, TOKEN

import napari_lightbox as lb
from napari_lightbox.cli.server_options import read_token
from napari_lightbox.errors import ConnectionLostError, ReadError

pytestmark = pytest.mark.skipif(find_spec("httpx") is None or find_spec("fastapi") is None, reason="needs remote and server")


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token.txt"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def jobs(server):
    with lb.connect(server.url, TOKEN) as runner:
        return runner.jobs()


@pytest.mark.parametrize(
    ("technique", "extra", "output"),
    [
        ("gaussian_blur", ["-p", "sigma=1.5", "-p", "unit=physical"], "o.nii.gz"),
        ("gaussian_blur", ["-p", "sigma=1.5", "--blocks"], "o.ome.zarr"),
        ("median_filter", ["-p", "size=3", "--over", "yx"], "o.nrrd"),
        ("threshold_otsu", [], "o.nii.gz"),
        ("tv_chambolle", [], "o.ome.tif"),
    ],
)
def test_apply_gives_the_same_files(technique, extra, output, head, server, token, lightbox, tmp_path) -> None:
    path, _ = head
    for place in ("near", "far"):
        (tmp_path / place).mkdir()
    command = ["apply", technique, path, *extra, "-o"]
    assert lightbox(*command, tmp_path / "near" / output)[0] == 0
    code, _, err = lightbox(*command, tmp_path / "far" / output, "--server", server.url, "--token-file", token)
    assert code == 0, err
    names = sorted(p.name for p in (tmp_path / "near").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "far").iterdir())
    for name in names:
        if name.endswith(".json"):
            assert (tmp_path / "far" / name).read_text() == (tmp_path / "near" / name).read_text()
            continue
        (near,), (far,) = lb.read(tmp_path / "near" / name), lb.read(tmp_path / "far" / name)
        np.testing.assert_array_equal(np.asarray(far.data), np.asarray(near.data))
        assert (far.data.dtype, far.role, far.geometry) == (near.data.dtype, near.role, near.geometry)
        assert far.metadata["provenance"][-1]["technique"] == technique
    assert jobs(server) == []


def test_values_and_seeds_travel_too(blobs, server, token, lightbox, tmp_path) -> None:
    far = ["--server", server.url, "--token-file", token]
    code, out, err = lightbox("apply", "region_properties", blobs["labels"], blobs["image"], *far)
    assert code == 0, err
    assert out == lightbox("apply", "region_properties", blobs["labels"], blobs["image"])[1]
    arguments = ["apply", "marker_controlled_watershed", blobs["image"], blobs["seeds"], "-p", "watershed_line=no", "-o"]
    assert lightbox(*arguments, tmp_path / "far.nii.gz", *far)[0] == 0
    lightbox(*arguments, tmp_path / "near.nii.gz")
    one, other = (np.asarray(lb.read(tmp_path / f"{name}.nii.gz")[0].data) for name in ("far", "near"))
    np.testing.assert_array_equal(one, other)
    assert jobs(server) == []


def test_the_token_comes_from_a_file_the_address_or_the_environment(head, server, token, lightbox, tmp_path, monkeypatch) -> None:
    command = ["apply", "invert_intensity", head[0], "-o", tmp_path / "o.nii.gz"]
    code, _, err = lightbox(*command, "--server", server.url)
    assert code == 2
    assert "token: is missing" in err
    assert lightbox(*command, "--server", f"{server.url}/#token={TOKEN}")[0] == 0
    monkeypatch.setenv("LIGHTBOX_TOKEN", OTHER_TOKEN)
    assert lightbox(*command, "--server", server.url)[0] == 0
    token.write_text("wrong-token-0123456789")
    code, _, err = lightbox(*command, "--server", server.url, "--token-file", token)
    assert code == 2
    assert "wrong-token" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["", "one\ntwo\n", "a b c"])
def test_a_file_without_one_token_is_refused(text, token) -> None:
    token.write_text(text)
    with pytest.raises(ReadError, match="where a token should be"):
        read_token(token)


def test_token_files_may_name_the_owner_and_hold_comments(token) -> None:
    token.write_text("# of the lab\nalice 0123456789abcdef\n\n")
    assert read_token(token) == "0123456789abcdef"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_token_that_others_can_read_is_refused(token) -> None:
    token.chmod(0o644)
    with pytest.raises(ReadError, match="chmod 600"):
        read_token(token)


def test_batch_gives_the_same_files(server, token, lightbox, tmp_path) -> None:
    files = write_images(tmp_path / "in" / "a", 3) + write_images(tmp_path / "in" / "b", 2)
    (tmp_path / "in" / "broken.tif").write_bytes(b"II*\x00nothing")
    command = ["batch", write_recipe(tmp_path), tmp_path / "in", "-o", tmp_path / "out"]
    code, _, err = lightbox(*command, "--server", server.url, "--token-file", token)
    assert code == 1
    assert "5 of 6 done, 1 failed" in err
    for path in files:
        check_blurred(path, tmp_path / "out" / path.relative_to(tmp_path / "in"))
    assert "Copy it again" in entries(tmp_path / "out")["broken.tif"]["message"]
    assert jobs(server) == []
    assert lightbox(*command, "--resume")[2].count("finished before") == 5


def test_a_log_is_not_for_a_server(server, blobs, lightbox, tmp_path) -> None:
    from tests.cli.test_logs import painted

    log, _ = painted(blobs, tmp_path)
    code, _, err = lightbox("batch", log, "-o", tmp_path / "out", "--server", server.url)
    assert code == 2
    assert "cannot replay a log" in err


def test_nobody_there(head, lightbox, tmp_path) -> None:
    command = ["apply", "invert_intensity", head[0], "-o", tmp_path / "o.nii.gz", "--server", "http://127.0.0.1:1/#token=abc"]
    code, _, err = lightbox(*command)
    assert code == 2
    assert "cannot be reached" in err
    assert "abc" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal")
@pytest.mark.parametrize("command", ["apply", "blocks", "batch"])
def test_ctrl_c_cancels_the_job_there(command, server, start, tmp_path) -> None:
    big, out = write_big(tmp_path / "big.nii"), tmp_path / "out"
    arguments = {
        "apply": ["apply", "median_filter", big, "-p", "size=5", "-o", out / "o.nii"],
        "blocks": ["apply", "median_filter", big, "-p", "size=5", "-o", out / "o.nii", "--blocks"],
        "batch": ["batch", write_recipe(tmp_path, SLOW), big, "-o", out],
    }[command]
    out.mkdir()
    process = start(*arguments, "--server", server.url, LIGHTBOX_TOKEN=TOKEN)
    process.until(lambda: [job for job in jobs(server) if job.status == "running"])
    assert process.send(signal.SIGINT) in (130, -signal.SIGINT), process.said
    assert "cancelled" in process.said
    assert "Traceback" not in process.said
    until(lambda: not jobs(server))
    assert not [path for path in out.iterdir() if path.name != "ledger.jsonl"]


def test_a_server_that_is_lost_stops_a_batch_and_a_broken_file_does_not(tmp_path) -> None:
    from napari_lightbox.cli.batch_file import FileTask, run_file
    from napari_lightbox.cli.batch_loop import work_through
    from napari_lightbox.cli.batch_threads import Threads

    class Work:
        def run(self, files, control, run):
            raise {"lost": ConnectionLostError, "broken": ReadError}[files[0]](files[0], "why", "Way out")

    tasks = [FileTask(name, (name,), tmp_path / "o.tif", "") for name in ("broken", "lost", "broken")]
    heard = []
    with Threads(lambda task, control: run_file(Work(), task, control, None, (ConnectionLostError,)), 1) as place:  # noqa: SIM117
        with pytest.raises(ConnectionLostError):
            work_through(tasks, place, lambda *pair: heard.append(pair), lambda _: None, stop_on_error=False)
    assert [(task.source, entry.message) for task, entry in heard] == [("broken", "broken: why. Way out")]
