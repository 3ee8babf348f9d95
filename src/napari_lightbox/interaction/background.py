"""Small jobs in a thread that ends when there is nothing to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key")


class Background(Generic[_Key]):
    """Runs jobs one after the other; results by key."""

    def __init__(self) -> None:
        self._jobs: list[tuple[_Key, Callable[[], Any]]] = []
        self._results: dict[_Key, Any] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, key: _Key, job: Callable[[], Any]) -> None:
        """Start a job, unless the key was asked for before."""
        with self._lock:
            if key in self._results or any(k == key for k, _ in self._jobs):
                return
            self._jobs.append((key, job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="lightbox-background", daemon=True)
                self._thread.start()

    def asked(self) -> set[_Key]:
        """Return the keys of all jobs, done or not."""
        with self._lock:
            return {*self._results, *(key for key, _ in self._jobs)}

    def results(self) -> dict[_Key, Any]:
        """Wait for all jobs and return what they gave; an exception stands for a job that failed."""
        while (thread := self._thread) is not None:
            thread.join()
        return dict(self._results)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                key, job = self._jobs[0]
            try:
                result = job()
            except Exception as error:  # noqa: BLE001 - belongs to whoever asks for the result
                result = error
            with self._lock:
                self._results[key] = result
                self._jobs.pop(0)
