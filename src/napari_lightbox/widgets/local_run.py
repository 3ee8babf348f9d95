"""One run on this computer, seen from a dock: a lazy result comes into the viewer together with its visible slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Layer

from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.widgets.distant_parts import is_distant, look, outcome_drawn_later, visible_parts
from napari_lightbox.widgets.feed import Distant, open_feeds
from napari_lightbox.widgets.results import Origin
from napari_lightbox.widgets.run_bar import RunBar
from napari_lightbox.widgets.runners import shared_runner
from napari_lightbox.widgets.showing import Limits, limits_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

Show = Callable[[Outcome, Origin, Limits | None], list[Layer]]


class LocalRun:
    """Follows one run until its result is in the viewer.

    Parameters
    ----------
    viewer, bar
        Where the result goes, and what shows how far it is.
    show
        Puts the outputs into the viewer and returns their layers.
    """

    def __init__(self, viewer: ViewerModel, bar: RunBar, show: Show) -> None:
        self._viewer = viewer
        self._bar = bar
        self._show = show

    def start(self, request: Request, origin: Origin) -> None:
        """Run a request."""
        self._bar.follow(shared_runner().submit(request), partial(self._take, origin))

    def _take(self, origin: Origin, outcome: Outcome) -> None:
        """Show an outcome; what is lazy waits for its visible slice, so that the window opens on something."""
        outcome = outcome_drawn_later(self._viewer, outcome)
        lazy = {name: value for name, value in outcome.outputs.items() if is_distant(value)}
        parts = visible_parts(self._viewer, lazy, origin) if origin.layer in self._viewer.layers else {}
        if parts:
            job = BackgroundJob(lambda control: look(parts, {}, control).slices, "look")
            self._bar.follow(job.start(), partial(self._seen, outcome, origin, parts))
        else:
            open_feeds(self._show(outcome, origin, None))

    def _seen(self, outcome: Outcome, origin: Origin, parts: Mapping[str, Distant], seen: Outcome) -> None:
        for name, values in seen.outputs.items():
            parts[name].feed.put(parts[name], values)
        main = next(iter(outcome.outputs))
        limits = limits_of(seen.outputs[main]) if main in parts else None
        open_feeds(self._show(outcome, origin, limits))
