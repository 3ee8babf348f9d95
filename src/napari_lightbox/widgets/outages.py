"""One notification when a server is gone, however many parts of the window miss it."""

from __future__ import annotations

import time

from napari_lightbox.errors import CancelledError, ConnectionLostError
from napari_lightbox.widgets.messages import show_failure

QUIET_SECONDS = 30.0
_told: dict[str, float] = {}


def tell_failure(error: BaseException) -> None:
    """Show an error, unless it is one that was asked for, or the same outage again."""
    if isinstance(error, CancelledError):
        return
    if isinstance(error, ConnectionLostError):
        now = time.monotonic()
        last, _told[error.subject] = _told.get(error.subject), now
        if last is not None and now - last < QUIET_SECONDS:
            return
    show_failure(error)


def back_again(address: str) -> None:
    """Hear that a server answers, so that its next outage is told at once."""
    _told.pop(address, None)
