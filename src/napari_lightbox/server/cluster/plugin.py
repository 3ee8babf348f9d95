"""What a worker needs before its first task."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from distributed import WorkerPlugin

from napari_lightbox import __version__
from napari_lightbox.contract import registry
from napari_lightbox.server.cluster.on_scheduler import check_version
from napari_lightbox.server.cluster.parting import be_discreet
from napari_lightbox.server.cluster.threads import limit_threads
from napari_lightbox.settings import override, settings

BUDGET_SHARE = 0.5


class LightboxPlugin(WorkerPlugin):  # type: ignore[misc]
    """Loads all techniques, keeps libraries to the worker's threads and puts settings in force.

    Parameters
    ----------
    changes
        Settings other than those that the worker reads from its own environment.
    own
        Whether the server started the worker, and ends it: then Ctrl-C in the terminal of the server is not for the worker,
        nor are closed connections for that terminal.
    """

    name = "napari-lightbox"

    def __init__(self, changes: Mapping[str, Any] | None = None, *, own: bool = False) -> None:
        self._version = __version__
        self._changes = dict(changes or {})
        self._own = own
        self._scope: ExitStack | None = None

    def setup(self, worker: Any) -> None:
        """Get the worker ready.

        Raises
        ------
        VersionError
            It has another napari-lightbox than the server.
        """
        check_version("worker", self._version)
        share = worker.state.nthreads
        limit_threads(share)
        registry.find()
        limit = worker.memory_manager.memory_limit
        budget = int(limit * BUDGET_SHARE) if limit else settings().memory_budget
        self._scope = ExitStack()
        self._scope.enter_context(override(**{"threads": share, "memory_budget": budget} | self._changes))
        if self._own and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            be_discreet()
            # what was loaded stays, and is not looked through again and again
            gc.freeze()

    def teardown(self, worker: Any) -> None:
        """Give the worker its own settings back."""
        if self._scope is not None:
            self._scope.close()
