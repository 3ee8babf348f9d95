"""How long to go on trying, and how long to wait in between."""

from __future__ import annotations

import random
import threading
import time

from napari_lightbox.errors import LightboxError

_FIRST, _LONGEST = 0.05, 2.0


class Patience:
    """Waits a little longer after each failure, until its time is up.

    Parameters
    ----------
    seconds
        Time from the first failure on.
    stopped
        Ends every wait at once.
    """

    def __init__(self, seconds: float, stopped: threading.Event) -> None:
        self._seconds = seconds
        self._stopped = stopped
        self.reset()

    def reset(self) -> None:
        """Begin anew: something went well."""
        self._end: float | None = None
        self._delay = _FIRST

    def pause(self, error: LightboxError, least: float = 0.0) -> None:
        """Wait before the next try, at least as long as somebody asked for.

        Raises
        ------
        LightboxError
            `error`, when the wait would be too long.
        """
        now = time.monotonic()
        self._end = now + self._seconds if self._end is None else self._end
        # many clients that lost one server must not come back in step
        delay = max(least, self._delay * random.uniform(0.5, 1.0))
        if now + delay > self._end or self._stopped.wait(delay):
            raise error
        self._delay = min(2 * self._delay, _LONGEST)
