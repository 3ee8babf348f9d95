"""One run on a server, seen from a dock: layers as soon as their shape is known, the visible slice first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject

from napari_lightbox.axes import Volume
from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import ConnectionLostError, LightboxError
from napari_lightbox.settings import settings
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.connections import Connections
from napari_lightbox.widgets.distant_parts import Look, fetch_whole, is_distant, is_lazy, look, pending_of, visible_parts, wish
from napari_lightbox.widgets.feed import Distant, Feed, feed_of, memory_of, open_feeds
from napari_lightbox.widgets.outages import tell_failure
from napari_lightbox.widgets.placement import picture
from napari_lightbox.widgets.places import places
from napari_lightbox.widgets.results import Origin
from napari_lightbox.widgets.run_bar import RunBar
from napari_lightbox.widgets.showing import Limits, limits_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lightbox.client.remote_job import RemoteJob
    from napari_lightbox.client.remote_runner import RemoteRunner

SHARE = 0.5
_GOES_ON = "The run goes on there: connect again and open its result in the Server dock."

Show = Callable[[str, Outcome, Origin, Limits | None], list[Layer]]


class RemoteRun(QObject):  # type: ignore[misc]
    """Follows one run until its result is in the viewer; the run outlives the dock, the window and the connection.

    Parameters
    ----------
    viewer, bar
        Where the result goes, and what shows how far it is.
    show
        Puts the outputs of a technique into the viewer and returns their layers.
    """

    def __init__(self, viewer: ViewerModel, bar: RunBar, show: Show) -> None:
        super().__init__()
        self._viewer = viewer
        self._bar = bar
        self._show = show
        self._origin = Origin(None, "")
        self._job: RemoteJob | None = None
        self._outcome: Outcome | None = None
        self._feeds: dict[str, Feed] = {}
        self._layers: list[Layer] | None = None
        self._tasks: list[Task] = []
        self._said = ""
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether something of the result is still to come into the viewer."""
        return (self._job is not None and not self._over) or any(task.running for task in self._tasks)

    def start(self, address: str, request: Request, origin: Origin) -> None:
        """Run a request on a server; connects to it first where that is needed."""
        self._origin = origin
        runner = places().runner(address)
        if runner is not None:
            self._submit(request, runner)
            return
        opening = BackgroundJob(partial(_open, places().connections, address, places().name(address)), "connect")
        self._bar.follow(opening.start(), partial(self._enter, request))

    def attach(self, runner: RemoteRunner, job_id: str) -> None:
        """Show the result of a run that the server has already, from this session or an earlier one."""
        self._follow(runner.attach(job_id))

    def release(self) -> None:
        """Hear no more of it; what is in the viewer goes on filling."""
        for task in self._tasks:
            task.release()

    def _enter(self, request: Request, outcome: Outcome) -> None:
        opened = outcome.outputs["opened"]
        places().entered(opened)
        self._submit(request, opened.runner)

    def _submit(self, request: Request, runner: RemoteRunner) -> None:
        first = wish(self._viewer, request, self._origin)
        self._follow(runner.submit(request, first=first, lazy=request.lazy))

    def _follow(self, job: Any) -> None:
        self._job = job
        watch = self._bar.follow(job, self._finish, lasting=True)
        watch.progressed.connect(self._peek)
        watch.cancelled.connect(self._take_back)
        watch.failed.connect(self._break_off)

    def _peek(self, *_: Any) -> None:
        """Take a lazy result as soon as it is described."""
        if self._outcome is not None or self._job is None:
            return
        try:
            outcome = self._job.result(0)
        except (TimeoutError, LightboxError):
            return
        if not pending_of(outcome):
            self._take(outcome)

    def _finish(self, outcome: Outcome) -> None:
        self._over = True
        if self._outcome is None:
            self._take(outcome)
        elif self._layers is not None:
            self._settle()

    def _take(self, outcome: Outcome) -> None:
        """Fetch what the viewer is going to show, then show it."""
        for name, value in outcome.outputs.items():
            if is_lazy(value):
                first = _wisher(self._job) if value is outcome.main else None
                self._feeds[name] = Feed(self._viewer, tell_failure, first)
        outputs = {
            name: value.with_data(Distant.whole(value.data, self._feeds[name])) if name in self._feeds else value
            for name, value in outcome.outputs.items()
        }
        self._outcome = outcome = replace(outcome, outputs=outputs)
        images = {name: value for name, value in outputs.items() if is_distant(value) and value.role == "image"}
        parts = visible_parts(self._viewer, images, self._origin)
        pending = pending_of(outcome)
        if not parts and not pending:
            self._place(outcome, {})
            return
        task = self._begin(partial(look, parts, pending), "look")
        task.finished.connect(partial(self._seen, outcome, parts))
        task.failed.connect(self._miss)
        task.start()

    def _seen(self, outcome: Outcome, parts: Mapping[str, Distant], seen: Look) -> None:
        for name, values in seen.slices.items():
            self._feeds[name].put(parts[name], values)
        limits = {name: limits_of(values) for name, values in seen.slices.items()}
        self._place(replace(outcome, outputs={**outcome.outputs, **seen.values}), limits)

    def _miss(self, error: BaseException) -> None:
        """Try again when the run is over; why it could not be seen is told by then, or now."""
        self._outcome = None
        if self._over:
            self._bar.message.setText(str(error))
            tell_failure(error)

    def _place(self, outcome: Outcome, limits: Mapping[str, Limits | None]) -> None:
        self._outcome = outcome
        technique = self._job.request.technique if self._job is not None else ""
        main = next(iter(outcome.outputs))
        self._layers = self._show(technique, outcome, self._origin, limits.get(main))
        open_feeds(self._layers)
        self._said = self._bar.message.text()
        for name, feed in self._feeds.items():
            for layer in self._mine(feed):
                if isinstance(layer, Image) and limits.get(name) is not None:
                    layer.contrast_limits = limits[name]
        if self._over:
            self._settle()
        else:
            self._bar.message.setText("Shown; the rest follows as it is computed.")

    def _settle(self) -> None:
        """Say that it is done, and fetch labels that fit into memory, so that they can be corrected by hand."""
        self._bar.message.setText(self._said)
        assert self._outcome is not None
        for name, layer in [(name, layer) for name, feed in self._feeds.items() for layer in self._mine(feed)]:
            if isinstance(layer, Labels) and memory_of(layer.data) <= settings().memory_budget * SHARE:
                task = self._begin(partial(fetch_whole, self._outcome, name), "fetch")
                task.finished.connect(partial(self._bring_home, layer, layer.data))
                task.failed.connect(tell_failure)
                task.start()

    def _bring_home(self, layer: Layer, distant: Distant, volume: Volume) -> None:
        if layer in self._viewer.layers and layer.data is distant:
            layer.data = picture(volume)[0]
            layer.metadata = {**layer.metadata, **volume.metadata}

    def _take_back(self) -> None:
        """Remove the layers of a run that was stopped or that failed: they would never fill."""
        self._over = True
        for layer in [layer for feed in self._feeds.values() for layer in self._mine(feed)]:
            self._viewer.layers.remove(layer)

    def _break_off(self, error: BaseException) -> None:
        if isinstance(error, ConnectionLostError) and self._job is not None and self._job.id is not None:
            self._over = True
            self._bar.message.setText(f"{error}. {_GOES_ON}")
        else:
            self._take_back()

    def _mine(self, feed: Feed) -> list[Layer]:
        return [layer for layer in self._viewer.layers if feed_of(layer.data) is feed]

    def _begin(self, call: Callable[[Control], Any], name: str) -> Task:
        task = Task(call, name)
        self._tasks = [t for t in self._tasks if t.running] + [task]
        return task


def _open(connections: Connections, address: str, name: str, control: Control) -> dict[str, Any]:
    control.report(0.0, f"Connecting to {name}")
    return {"opened": connections.open(address)}


def _wisher(job: Any) -> Callable[[Region], None]:
    """Return a function that tells a run which part is wanted next, as long as it runs."""

    def tell(region: Region) -> None:
        if not job.is_over:
            job.first(region)

    return tell
