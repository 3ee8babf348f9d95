"""One file of a batch: what is read, what is written, and how it went."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.cli.batch_work import Run, Work
from napari_lightbox.errors import LightboxError
from napari_lightbox.io.batch_report import Entry

if TYPE_CHECKING:
    from napari_lightbox.engine.control import Control

_SEE_WHERE = "Run this file alone from Python or napari to see where"
_MEMORY = "the file does not fit into the memory. Work on fewer files at a time with -j, or on a larger machine"


@dataclass(frozen=True)
class FileTask:
    """What is to be done to one file; paths mean the same on every machine that sees the same disks.

    Parameters
    ----------
    source
        The input.
    inputs
        It and the further inputs that belong to it.
    target
        File for the main output.
    fingerprint
        What tells the work and its inputs from changed ones.
    """

    source: str
    inputs: tuple[str, ...]
    target: Path
    fingerprint: str


def run_file(
    work: Work, task: FileTask, control: Control, run: Run | None = None, fatal: tuple[type[Exception], ...] = ()
) -> Entry:
    """Do the work on one file, write the outputs and say how it went.

    Parameters
    ----------
    work, task
        What is done to what.
    control
        Progress and cancel.
    run
        Does single steps elsewhere.
    fatal
        Errors that say nothing about the file, and go on to the caller.

    Raises
    ------
    CancelledError
        Somebody asked to stop; nothing is left behind.
    """
    from napari_lightbox.io.result_files import write_outputs

    start = time.perf_counter()
    try:
        control.report(0.0, "reading")
        outputs = work.run(task.inputs, control, run)
        task.target.parent.mkdir(parents=True, exist_ok=True)
        files = write_outputs(task.target, outputs, partial(_write, control))
    except fatal:
        control.check()
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not stop the others
        control.check()
        return failed(task, time.perf_counter() - start, error)
    return Entry("done", round(time.perf_counter() - start, 3), tuple(map(str, files)), "", task.fingerprint)


def failed(task: FileTask, seconds: float, error: BaseException) -> Entry:
    """Return the entry of a file that failed: why, and the way out."""
    if isinstance(error, LightboxError):
        message = str(error)
    elif isinstance(error, MemoryError):
        message = _MEMORY
    else:
        detail = " ".join(str(error).split())[:500]
        message = f"unexpected {type(error).__name__}: {detail or 'no further word'}. {_SEE_WHERE}"
    return Entry("failed", round(seconds, 3), (), message, task.fingerprint)


def _write(control: Control, path: Path, value: Any) -> None:
    from napari_lightbox.io.result_files import write_output

    write_output(path, value, lambda _fraction: control.report(1.0, f"writing {path.name}"))
