"""How a server is, asked again and again while somebody looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_lightbox.engine.control import Control
from napari_lightbox.widgets.annotate.task import Task

if TYPE_CHECKING:
    from napari_lightbox.client.answers import JobCard
    from napari_lightbox.client.remote_runner import RemoteRunner

EVERY_MS = 2000
MOST_JOBS = 200


@dataclass(frozen=True)
class News:
    """One answer: the cluster, the newest jobs and how many older ones there are."""

    cluster: Mapping[str, Any]
    jobs: Sequence[JobCard]
    older: int = 0


class ServerNews(QObject):  # type: ignore[misc]
    """Emits `told(news)` every two seconds, or `missed(error)` when no answer came; never two questions at once."""

    told = Signal(object)
    missed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._runner: RemoteRunner | None = None
        self._task: Task | None = None
        self._watched = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.ask)

    def follow(self, runner: RemoteRunner | None) -> None:
        """Ask another server from now on, or none."""
        if runner is not self._runner:
            self._drop()
            self._runner = runner
            self.ask()

    def watch(self, watched: bool) -> None:
        """Ask only while somebody looks."""
        self._watched = watched
        if watched:
            self.ask()
        else:
            self._timer.stop()

    def ask(self) -> None:
        """Ask now."""
        if self._runner is None or not self._watched or (self._task is not None and self._task.running):
            return
        self._timer.stop()
        self._task = Task(partial(_read, self._runner), "server")
        self._task.finished.connect(self._tell)
        self._task.failed.connect(self._miss)
        self._task.start()

    def stop(self) -> None:
        """Ask no more."""
        self._watched = False
        self._drop()

    def _drop(self) -> None:
        self._timer.stop()
        if self._task is not None:
            self._task.release()
            self._task = None

    def _tell(self, news: News) -> None:
        self._again()
        self.told.emit(news)

    def _miss(self, error: BaseException) -> None:
        self._again()
        self.missed.emit(error)

    def _again(self) -> None:
        if self._watched:
            self._timer.start()


def _read(runner: RemoteRunner, control: Control) -> News:
    control.check()
    cluster, listed = runner.cluster(patience=0.0), runner.newest_jobs(MOST_JOBS, patience=0.0)
    return News(cluster, listed.cards, listed.older)
