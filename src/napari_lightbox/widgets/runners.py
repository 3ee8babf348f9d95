"""The runner all docks share."""

from __future__ import annotations

import atexit
from functools import cache

from napari_lightbox.engine.runner import Runner


@cache
def shared_runner() -> Runner:
    """Return the runner of this process, started at the first use and closed at its end."""
    from napari_lightbox.engine.local import LocalRunner

    runner = LocalRunner()
    atexit.register(runner.close)
    return runner
