"""Run something in the background while the main thread draws progress and listens for Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_lightbox.cli.progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_lightbox.engine.request import Request
    from napari_lightbox.engine.runner import Outcome

_POLL = 0.1


def run_request(request: Request, title: str) -> Outcome:
    """Run one request; Ctrl-C stops it at the next chunk and waits until it has cleaned up."""
    from napari_lightbox.engine.local import LocalRunner

    runner = LocalRunner(workers=1)
    bar = ProgressBar(title)
    job = runner.submit(request)
    try:
        while True:
            try:
                return job.result(timeout=_POLL)
            except TimeoutError:
                if job.status not in ("queued", "running"):
                    raise
                bar.update(job.fraction, job.message)
    finally:
        runner.close()
        bar.close()


def with_progress(title: str, action: Callable[[Callable[..., None]], Any]) -> Any:
    """Call `action` with a function that draws the fraction it is given; Ctrl-C interrupts it where it stands."""
    bar = ProgressBar(title)
    try:
        return action(bar.update)
    finally:
        bar.close()
