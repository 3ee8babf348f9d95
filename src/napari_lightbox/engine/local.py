"""The local runner: threads of this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import dask.array as da

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Plane as PlaneLocality
from napari_lightbox.contract import Pointwise, registry
from napari_lightbox.contract.locality import radius_of
from napari_lightbox.engine.apply import run
from napari_lightbox.engine.bind import Bound, bind
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.inputs import is_lazy
from napari_lightbox.engine.materialise import materialise
from napari_lightbox.engine.origins import measured
from napari_lightbox.engine.prepare import prepare
from napari_lightbox.engine.preview import is_exact, preview
from napari_lightbox.engine.provenance import carried, record, sealed
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.results import with_lengths
from napari_lightbox.engine.runner import Job, Outcome, Status
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.engine.wrap import CHUNK_BYTES, wrap_all
from napari_lightbox.errors import CancelledError
from napari_lightbox.observers import Observers

LARGE = 4 * CHUNK_BYTES


class LocalJob:
    """A run in a thread of this process."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.status: Status = "queued"
        self.fraction = 0.0
        self.message = ""
        self._future: Future[Outcome] = Future()
        self._observers = Observers()
        self.control = Control(self._reported)

    def subscribe(self, callback: Callable[[Job], None]) -> Callable[[], None]:
        """Call back after every change, from any thread; returns the function that ends it."""
        return self._observers.add(callback)

    def result(self, timeout: float | None = None) -> Outcome:
        """Wait for the outcome; raises what the run raised."""
        return self._future.result(timeout)

    def cancel(self) -> None:
        """Stop at the next chunk boundary."""
        self.control.cancel()

    def execute(self) -> None:
        """Run the request in the calling thread."""
        self._change("running")
        try:
            self.control.check()
            outcome = self.run()
            self.control.check()
        except CancelledError as error:
            self._finish("cancelled", error)
        except BaseException as error:  # noqa: BLE001 - whatever happens belongs to whoever waits for the result
            self._finish("failed", error)
        else:
            self.fraction = 1.0
            self._future.set_result(outcome)
            self._change("done")

    def run(self) -> Outcome:
        """Do what the job is for."""
        return execute(self.request, self.control)

    def _finish(self, status: Status, error: BaseException) -> None:
        self.message = str(error)
        self._future.set_exception(error)
        self._change(status)

    def _reported(self, fraction: float, message: str) -> None:
        self.fraction, self.message = fraction, message or self.message
        self._observers.tell(self)

    def _change(self, status: Status) -> None:
        self.status = status
        self._observers.tell(self)


class LocalRunner:
    """Runs requests in threads; results of lazy inputs stay lazy unless the request says otherwise."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="lightbox")
        self._jobs: list[LocalJob] = []

    def submit(self, request: Request) -> LocalJob:
        """Start a run and return at once."""
        job = LocalJob(request)
        self._jobs = [j for j in self._jobs if j.status in ("queued", "running")] + [job]
        self._pool.submit(job.execute)
        return job

    def close(self) -> None:
        """Cancel what is running and wait for the threads."""
        for job in self._jobs:
            job.cancel()
        self._pool.shutdown(wait=True, cancel_futures=False)


def execute(request: Request, control: Control) -> Outcome:
    """Run a request in the calling thread."""
    technique = registry.get(request.technique)
    if request.preview:
        bound, outputs = preview(request, control)
        return _outcome(bound, outputs, preview=True, exact=is_exact(technique))
    inputs = measured(request.inputs, control)
    mask = measured([request.mask], control)[0]
    lazy_input = any(isinstance(v, Volume) and isinstance(v.data, da.Array) for v in inputs)
    computing = not (request.lazy and lazy_input)
    if computing and _is_large(inputs):
        inputs, mask = wrap_all(inputs), None if mask is None else wrap_all([mask])[0]
    bound = bind(technique, inputs, request.parameters, mask=mask, over=request.over)
    control.report(0.0, technique.title)
    outputs = run(bound, "full" if computing else "view")
    arrays = [o.data for o in outputs if isinstance(o, Volume) and isinstance(o.data, da.Array)]
    prepare(arrays, control)
    if not computing or _is_cut(technique.locality):
        outputs = tuple(with_lengths(o, control) for o in outputs)
    if computing and is_lazy([s for s in bound.arrays if s is not None]):
        outputs = _materialised(outputs, control, technique.memory if _is_cut(technique.locality) else 1.0)
    control.check()
    return _outcome(bound, sealed([spec.name for spec in technique.outputs], outputs, control))


def _materialised(outputs: tuple[Any, ...], control: Control, working: float) -> tuple[Any, ...]:
    values = iter(
        materialise([o.data for o in outputs if isinstance(o, Volume)], control, working) if _any_volume(outputs) else ()
    )
    rest = [o for o in outputs if not isinstance(o, Volume)]
    others = iter(compute_all(rest, control, (0.99, 1.0)))
    return tuple(o.with_data(next(values)) if isinstance(o, Volume) else carried(o, next(others)) for o in outputs)


def _any_volume(outputs: tuple[Any, ...]) -> bool:
    return any(isinstance(o, Volume) for o in outputs)


def _is_large(inputs: tuple[Any, ...]) -> bool:
    return any(isinstance(v, Volume) and v.data.size * v.dtype.itemsize > LARGE for v in inputs)


def _is_cut(locality: Any) -> bool:
    return isinstance(locality, (Pointwise, PlaneLocality)) or radius_of(locality) is not None


def _outcome(bound: Bound, outputs: tuple[Any, ...], *, preview: bool = False, exact: bool = True) -> Outcome:
    names = [spec.name for spec in bound.technique.outputs]
    provenance = record(bound) | ({"preview": True, "approximate": not exact} if preview else {})
    return Outcome(dict(zip(names, outputs, strict=True)), provenance, preview)
