"""A training on its way in a thread of its own; followed and stopped like any other run."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_lightbox.errors import CancelledError
from napari_lightbox.models.train.samples import Pair
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.observers import Observers

if TYPE_CHECKING:
    from napari_lightbox.models.train.loop import Progress
    from napari_lightbox.models.train.unet import Trained

Status = Literal["queued", "running", "done", "failed", "cancelled"]
_PATIENCE = 20.0
_jobs: weakref.WeakSet[TrainingJob] = weakref.WeakSet()


class TrainingJob:
    """Trains a U-Net in the background.

    A cancel ends it as done when there is a best state to keep (`Trained.cancelled` tells), and as cancelled when there is none.

    Parameters
    ----------
    pairs
        Returns the images with their labels; called in the job's thread, because reading takes time.
    options, name, folder, threads
        As `train_unet` takes them.
    """

    def __init__(
        self,
        pairs: Callable[[], Sequence[Pair]],
        options: TrainSettings,
        *,
        name: str = "unet",
        folder: Path | None = None,
        threads: int | None = None,
    ) -> None:
        self.options = options
        self.status: Status = "queued"
        self.fraction = 0.0
        self.message = ""
        self.progress: Progress | None = None
        self._arguments: dict[str, Any] = {"name": name, "folder": folder, "threads": threads}
        self._pairs = pairs
        self._future: Future[Trained] = Future()
        self._stop = threading.Event()
        self._observers = Observers()
        self._thread = threading.Thread(target=self._run, name="lightbox-training", daemon=True)

    def start(self) -> TrainingJob:
        """Begin, and return the job."""
        _jobs.add(self)
        self._thread.start()
        return self

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call back after every change, from the job's thread; returns the function that ends it."""
        return self._observers.add(callback)

    def result(self, timeout: float | None = None) -> Trained:
        """Wait for the model; raises what the training raised."""
        return self._future.result(timeout)

    def cancel(self) -> None:
        """Stop before the next step; the best state is kept."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        self._change("running", "reading the images")
        try:
            from napari_lightbox.models.train.unet import train_unet

            trained = train_unet(
                self._pairs(), self.options, report=self._reported, cancelled=self._stop.is_set, **self._arguments
            )
        except CancelledError as error:
            self._future.set_exception(error)
            self._change("cancelled", str(error))
        except BaseException as error:  # noqa: BLE001 - whatever happens belongs to whoever waits for the result
            self._future.set_exception(error)
            self._change("failed", str(error))
        else:
            self.fraction = 1.0
            self._future.set_result(trained)
            self._change("done", "")

    def _reported(self, progress: Progress) -> None:
        self.progress = progress
        by_rounds = (progress.epoch + progress.step / progress.steps) / progress.epochs
        minutes = self.options.minutes
        self.fraction = min(1.0, max(by_rounds, progress.seconds / (60 * minutes) if minutes else 0.0))
        dice = f", best Dice {max(progress.dice):.3f}" if progress.dice else ""
        self.message = f"round {min(progress.epoch + 1, progress.epochs)}{dice}"
        self._observers.tell(self)

    def _change(self, status: Status, message: str) -> None:
        self.status, self.message = status, message
        self._observers.tell(self)


def _stop_all() -> None:
    """End what still runs before the interpreter goes: torch must not be torn down below a running training."""
    for job in list(_jobs):
        job.cancel()
    for job in list(_jobs):
        job.join(_PATIENCE)


atexit.register(_stop_all)
