"""What the parts of one Annotate dock share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer

from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.request import Region
from napari_lightbox.engine.runner import Runner
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.widgets.annotate.bar import LiveBar
from napari_lightbox.widgets.annotate.scope import region_of, without_channels
from napari_lightbox.widgets.annotate.segment_panel import SegmentPanel
from napari_lightbox.widgets.annotate.session import Session
from napari_lightbox.widgets.messages import show_failure

if TYPE_CHECKING:
    from napari.viewer import Viewer


@dataclass(frozen=True)
class Bench:
    """Viewer, session, runner and the widgets everybody reads or writes."""

    viewer: Viewer
    session: Session
    runner: Runner
    panel: SegmentPanel
    bar: LiveBar

    @property
    def image(self) -> Image | None:
        """The image that is segmented."""
        return self.panel.image.chosen()

    @property
    def axes(self) -> str:
        """Its axes."""
        return self.panel.axes

    @property
    def seeds_axes(self) -> str:
        """The axes of seeds and results: those of the image without colour."""
        return self.axes.replace(CHANNEL, "")

    @property
    def seeds(self) -> Layer | None:
        """The layer that holds the seeds."""
        return self.panel.seeds.chosen()

    @property
    def painted(self) -> Labels | None:
        """The seeds, when they are painted."""
        return self.seeds if isinstance(self.seeds, Labels) else None

    @property
    def target(self) -> Labels | None:
        """The layer results are written into, None for a new one."""
        return self.panel.target.chosen()

    def frame(self) -> Region:
        """Return the part of the seeds' grid that is in view with all its planes: one frame of a video, all of a volume.

        Raises
        ------
        InputError
            No image is chosen.
        """
        image = self.need_image()
        return without_channels(region_of("volume", self.viewer, image, self.axes), self.axes)

    def need_image(self) -> Image:
        """Return the image.

        Raises
        ------
        InputError
            None is chosen.
        """
        if self.image is None:
            raise InputError("Image", "no image is chosen", "Open one first")
        return self.image

    def say(self, text: str) -> None:
        """Show a message in the dock."""
        self.bar.message.setText(text)

    def fail(self, error: Any) -> None:
        """Show what went wrong, in the dock and as a notification."""
        self.say(str(error) if isinstance(error, LightboxError) else f"{type(error).__name__}: {error}")
        show_failure(error)
