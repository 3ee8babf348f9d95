"""Run something in the background while the main thread draws progress and listens for Ctrl-C."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from napari_lightbox.cli.progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_lightbox.engine.control import Control
    from napari_lightbox.engine.request import Request
    from napari_lightbox.engine.runner import Job, Outcome

_POLL = 0.1
_LAST_WAIT = 10.0


def run_request(request: Request, title: str, run: Callable[[Request, Control], Outcome] | None = None) -> Outcome:
    """Run one request, here or by `run`; Ctrl-C stops it at the next chunk and waits until it has cleaned up."""
    from napari_lightbox.engine.control import Control
    from napari_lightbox.engine.local import LocalRunner

    bar = ProgressBar(title)
    try:
        if run is not None:
            return run(request, Control(bar.update))
        with closing(LocalRunner(workers=1)) as runner:
            return wait_for(runner.submit(request), bar.update)
    finally:
        bar.close()


def wait_for(job: Job, heard: Callable[[float, str], None]) -> Outcome:
    """Return the outcome of a job, and tell every now and then how far it is; whatever ends the wait cancels the job."""
    try:
        while True:
            try:
                return job.result(timeout=_POLL)
            except TimeoutError:
                if job.status not in ("queued", "running"):
                    return job.result(timeout=_LAST_WAIT)
                heard(job.fraction, job.message)
    except BaseException:
        job.cancel()
        raise


def with_progress(title: str, action: Callable[[Callable[..., None]], Any]) -> Any:
    """Call `action` with a function that draws the fraction it is given; Ctrl-C interrupts it where it stands."""
    bar = ProgressBar(title)
    try:
        return action(bar.update)
    finally:
        bar.close()
