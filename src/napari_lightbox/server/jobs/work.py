"""Run one job: rebuild what was asked for, lay out what it gives, write it block by block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
from dask.delayed import Delayed

from napari_lightbox.contract import Collection, registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.encoding import plain
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import compute_all, computed_by
from napari_lightbox.server.jobs.blocks import Means, write_blocks
from napari_lightbox.server.jobs.collected import collect
from napari_lightbox.server.jobs.events import Event
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.laid_out import lay_out
from napari_lightbox.server.jobs.layout import Sink, plan_of
from napari_lightbox.server.jobs.outputs import Stored, encoded
from napari_lightbox.server.jobs.paces import Pace
from napari_lightbox.server.jobs.rebuild import Inputs, rebuild
from napari_lightbox.server.jobs.staged import StagedScheduler
from napari_lightbox.server.jobs.supplies import Supply
from napari_lightbox.server.jobs.this_process import OwnThreads
from napari_lightbox.server.jobs.values import Values
from napari_lightbox.server.store.placing import private_folder

if TYPE_CHECKING:
    from napari_lightbox.server.services import Services


class Measuring(Control):
    """The control of everything before the first block: says what is done, while the part done stays 0."""

    def __init__(self, whole: Control) -> None:
        super().__init__()
        self._whole = whole

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._whole.cancelled

    def check(self) -> None:
        """Raise when somebody asked to stop."""
        self._whole.check()

    def report(self, fraction: float, message: str = "") -> None:
        """Report what is done."""
        self._whole.report(0.0, message)


def run_job(job: Job, services: Services, control: Control) -> None:
    """Run a job in the calling thread; what an interrupted run has written is not computed again.

    Raises
    ------
    LightboxError
        Whatever is wrong with it.
    CancelledError
        Somebody asked to stop.
    """
    if job.request["preview"]:
        _run_preview(job, services, control)
        return
    supplies: dict[str, Supply] = {}
    staged = StagedScheduler(services.scheduler(job.priority), supplies, services.room)
    folder = private_folder(services.work / job.id)
    with computed_by(staged):
        request = rebuild(job.request, Inputs(job.id, services, supplies), Measuring(control))
        outcome = _laid_out(request, folder, Measuring(control))
        stored = Stored(job, services.results)
        sinks = stored.sinks(outcome)
        coming = encoded(outcome.outputs, sinks, stored, pending=True)
        if sinks:
            _tell(job, services, outcome, coming, stored)
            _write(job, services, folder, outcome, sinks, control)
        finished = _with_values(outcome, Measuring(control) if sinks else control)
        control.check()
        known = encoded(finished, sinks, stored, pending=False)
        if not sinks or known != coming:
            _tell(job, services, outcome, known, stored)


def _run_preview(job: Job, services: Services, control: Control) -> None:
    """Compute a preview here, where the blocks it reads can wait for their chunks."""
    with computed_by(OwnThreads()):
        outcome = execute(rebuild(job.request, Inputs(job.id, services, {}, waiting=control), control), control)
    stored = Stored(job, services.results)
    _tell(job, services, outcome, encoded(outcome.outputs, [], stored, pending=False), stored)


def _laid_out(request: Request, folder: Path, control: Control) -> Outcome:
    joins = isinstance(registry.get(request.technique).locality, Collection)
    return collect(request, folder, control) if joins else lay_out(request, control)


def _write(job: Job, services: Services, folder: Path, outcome: Outcome, sinks: list[Sink], control: Control) -> None:
    plan, values = plan_of(sinks), Values.of(outcome.outputs.values(), folder)
    pace = Pace.of(services.paces, job, [sink.target.card for sink in sinks])
    means = Means(folder, services.wishes, services.threads, services.room, lambda: services.disk.check(None, 0), pace)
    write_blocks(job.id, plan, values, means, control)
    if values is not None:
        values.recall()


def _with_values(outcome: Outcome, control: Control) -> dict[str, Any]:
    """Return the outputs with tables, points, numbers and bare arrays computed; Volumes stay as they are."""
    lazy = {name: output for name, output in outcome.outputs.items() if isinstance(output, (Delayed, da.Array))}
    if not lazy:
        return dict(outcome.outputs)
    computed = compute_all(list(lazy.values()), control)
    return {**outcome.outputs, **dict(zip(lazy, computed, strict=True))}


def _tell(job: Job, services: Services, outcome: Outcome, outputs: dict[str, Any], stored: Stored) -> None:
    told = {"outputs": outputs, "provenance": plain(dict(outcome.provenance)), "preview": outcome.preview}
    # whoever is told of an array looks at it next
    told["cards"] = stored.cards()
    if outcome.preview:
        told["exact"] = not outcome.provenance.get("approximate", False)
    known = services.table.update(job.id, outputs=told)
    services.events.publish(job.id, Event("outputs", known.gives()))
