"""HTTP/1.1 as uvicorn speaks it, for clients that send their headers in time."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from h11._readers import ContentLengthReader
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.h11_impl import H11Protocol

_READ_BYTES = 2**20


class PatientProtocol(H11Protocol):
    """Closes a connection whose headers do not come in; uvicorn itself waits for them without end.

    It writes no log of requests, whatever the loggers of the process are set to: addresses may hold what nobody should read.
    """

    head_seconds: ClassVar[float] = 15.0
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.access_log = False

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for headers."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = _READ_BYTES
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and go on or stop waiting."""
        if not self._hand_on(data):
            super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _hand_on(self, data: bytes) -> bool:
        """Hand on what lies inside of a body as it is; tells whether it did.

        The libraries would copy it four times on its way to the application, which is most of what an upload costs. They get to
        see the end of every body, and whatever is not plainly counted bytes.
        """
        # there is no other way to tell how much is left
        reader: Any = self.conn._reader  # noqa: SLF001
        inside = (
            isinstance(reader, ContentLengthReader)
            and self.conn.their_state is h11.SEND_BODY
            and self.conn.our_state in (h11.SEND_RESPONSE, h11.SEND_BODY)
            and reader._remaining > len(data)  # noqa: SLF001
            and self.conn.trailing_data == (b"", False)
        )
        if inside:
            reader._remaining -= len(data)  # noqa: SLF001
            cycle: Any = self.cycle
            cycle.body = cycle.body + data if cycle.body else data
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()
        return inside

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def patient_protocol(head_seconds: float) -> type[PatientProtocol]:
    """Return the protocol with this much time for headers."""
    return type("PatientProtocol", (PatientProtocol,), {"head_seconds": head_seconds})
