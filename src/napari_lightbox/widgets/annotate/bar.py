"""The run bar of the Annotate dock: a run that a newer stroke replaces ends without a word."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_lightbox.widgets.annotate.shortcuts import with_key
from napari_lightbox.widgets.run_bar import RunBar


class LiveBar(RunBar):
    """Run, cancel, progress and message; keeps its height when the progress comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.run.setToolTip(with_key("Run the engine on the seeds.", "run"))
        self.cancel.setToolTip("Stop the run; nothing changes")
        self.reset.setToolTip("Set the engine's parameters to their defaults")
        self.help.setToolTip("Keys, and how undo works")
        _keep_height(self.progress)

    def interrupt(self) -> None:
        """Stop the run that is followed, without a message."""
        if self.busy:
            self.drop()
            self._show_state(False)


def _keep_height(widget: QWidget) -> None:
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
