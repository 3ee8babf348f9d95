"""Runs on a server that leave nothing behind there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from napari_lightbox.cli.running import wait_for
from napari_lightbox.errors import LightboxError, UnknownTechniqueError

if TYPE_CHECKING:
    from napari_lightbox.client.remote_job import RemoteJob
    from napari_lightbox.client.remote_runner import RemoteRunner
    from napari_lightbox.engine.control import Control
    from napari_lightbox.engine.request import Request
    from napari_lightbox.engine.runner import Outcome

_LAST_WAIT = 10.0


class ServerSteps:
    """Runs requests one after the other on a server, in place of `engine.local.execute`.

    At the end of the with block the server forgets them, and stops what still runs.

    Parameters
    ----------
    runner
        The server.
    inner
        How many of the first runs only serve later ones: pixels of their results do not come here.
    """

    def __init__(self, runner: RemoteRunner, inner: int = 0) -> None:
        self._runner = runner
        self._inner = inner
        self._jobs: list[RemoteJob] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Have the server forget the runs."""
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            job.wait(_LAST_WAIT)
            if job.id is not None:
                with suppress(LightboxError):
                    self._runner.delete(job.id)

    def __call__(self, request: Request, control: Control) -> Outcome:
        """Run one request there."""
        lazy = True if len(self._jobs) < self._inner else None
        job: Any = self._runner.submit(_with_models(request), lazy=lazy)
        self._jobs.append(job)
        return wait_for(job, control.report)


def _with_models(request: Request) -> Request:
    """Return the request with the contents of model files in place of their paths, which mean nothing to a server."""
    from napari_lightbox.contract import registry
    from napari_lightbox.kernels.model_file import SUFFIX, read_model

    try:
        specs = registry.get(request.technique).inputs
    except UnknownTechniqueError:
        return request
    inputs = list(request.inputs)
    for place, (spec, value) in enumerate(zip(specs, inputs, strict=False)):
        if spec.role.name == "model" and isinstance(value, str) and value.endswith(SUFFIX) and Path(value).is_file():
            inputs[place] = read_model(value)
    return replace(request, inputs=tuple(inputs))
