"""What a worker keeps to itself while the process that started it ends."""

from __future__ import annotations

import logging

from distributed.comm.core import CommClosedError


class Parting(logging.Filter):
    """Leaves out that a connection was closed: who ends a run is not to read how its workers noticed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is told."""
        return not (record.exc_info and isinstance(record.exc_info[1], CommClosedError))


def be_discreet() -> None:
    """Keep what dask tells about closed connections from the terminal of this process."""
    for handler in logging.getLogger("distributed").handlers:
        handler.addFilter(Parting())
