"""The command line as a process of its own, to be watched, interrupted and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume

BLUR = {
    "lightbox_recipe": 1,
    "steps": [
        {"technique": "gaussian_blur", "parameters": {"sigma": 1.0}},
        {"technique": "invert_intensity", "inputs": ["step:0"]},
    ],
}
SLOW = {"lightbox_recipe": 1, "steps": [{"technique": "median_filter", "parameters": {"size": 5}}]}


class Process:
    """`lightbox ...` in a folder; what it says goes to a file."""

    def __init__(self, folder: Path, *arguments: Any, **environment: str) -> None:
        self.log = folder / f"said-{time.monotonic_ns()}.txt"
        # a test run in the background ignores Ctrl-C and would hand that on
        hear_ctrl_c = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "napari_lightbox", *map(str, arguments)],
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
                preexec_fn=hear_ctrl_c,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def send(self, number: int) -> int:
        """Send a signal and return how it ended."""
        self.process.send_signal(number)
        return self.process.wait(90)

    def wait(self) -> int:
        return self.process.wait(120)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def until(self, condition: Callable[[], Any]) -> Any:
        """Return the first true answer while the process runs."""

        def look() -> Any:
            answer = condition()
            assert answer or self.process.poll() is None, f"it ended too early:\n{self.said}"
            return answer

        return until(look)


def until(condition: Callable[[], Any], patience: float = 90) -> Any:
    """Return the first true answer."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it never came true")


def write_recipe(folder: Path, recipe: Any = BLUR) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe))
    return path


def write_images(folder: Path, count: int, shape: tuple[int, int] = (12, 16)) -> list[Path]:
    """Write small pictures, each with other pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"image{number:03d}.tif" for number in range(count)]
    for number, path in enumerate(files):
        data = np.random.default_rng(number).integers(0, 200, shape, dtype=np.uint8)
        lb.write(path, Volume(data, Geometry.of("yx", data.shape)))
    return files


def write_big(path: Path) -> Path:
    """Write a volume that takes a thread some seconds."""
    data = np.random.default_rng(0).integers(0, 255, (160, 512, 512), dtype=np.uint8)
    lb.write(path, Volume(data, Geometry.of("zyx", data.shape)))
    return path


def check_blurred(source: Path, result: Path) -> None:
    """Compare a result with that of the same steps from Python."""
    (image,), (found,) = lb.read(source), lb.read(result)
    expected = lb.apply("invert_intensity", lb.apply("gaussian_blur", np.asarray(image.data), sigma=1.0))
    np.testing.assert_array_equal(found.data, expected)


def entries(output: Path) -> dict[str, dict[str, Any]]:
    """Return the report by the names of the files."""
    return {Path(e["input"]).name: e for e in json.loads((output / "report.json").read_text())["entries"]}


def lines(output: Path) -> int:
    """Return how many files the ledger has."""
    ledger = output / "ledger.jsonl"
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def written_down(output: Path) -> list[str]:
    """Return the names of the files that the ledger has."""
    return [Path(json.loads(line)["input"]).name for line in (output / "ledger.jsonl").read_text().splitlines()]


def left_overs(folder: Path) -> list[str]:
    """Return what writers left behind."""
    return [path.name for path in folder.rglob(".lightbox-*")]


def let_go(pipe: Path, content: Path) -> None:
    """Put a copy of a file in the place of a named pipe, and let those go on that wait for its first bytes."""
    aside, copy = pipe.with_suffix(".pipe"), pipe.with_suffix(".copy")
    copy.write_bytes(content.read_bytes())
    os.link(pipe, aside)
    copy.replace(pipe)
    try:
        file = os.open(aside, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        # nobody waits yet: who comes now finds the copy
        return
    os.write(file, content.read_bytes()[:512])
    os.close(file)
