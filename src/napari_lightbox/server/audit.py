"""Who did what when: one line of JSON for each job and each refusal, in files that take turns."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from napari_lightbox.server.discreet import Discreet

FILE_NAME = "audit.log"
FILE_BYTES, FILES = 2**24, 5
_LONGEST = 200
_log = logging.getLogger(__name__)


class Audit:
    """The log of a server.

    Lines hold no tokens and no values of images; whatever a client sends stays inside its own line.

    Parameters
    ----------
    folder
        Folder of the server.
    tokens
        What must not show in it.
    """

    def __init__(self, folder: Path, tokens: Iterable[str] = ()) -> None:
        self.path = folder / FILE_NAME
        self._hide = Discreet(tokens)
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        self._file = _File(self.path, maxBytes=FILE_BYTES, backupCount=FILES, encoding="ascii")

    def write(self, event: str, owner: str = "", address: str = "", **fields: Any) -> None:
        """Add a line; a full disk is told to the log of the process and stops nobody.

        Parameters
        ----------
        event
            What happened, such as ``"submitted"``.
        owner, address
            The name behind the token, and where it came from.
        fields
            What else belongs to it: names and numbers.
        """
        line: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        values = {"owner": owner, "address": address, **fields}
        line |= {name: self._plain(value) for name, value in values.items() if value not in ("", None)}
        self._file.handle(logging.makeLogRecord({"msg": json.dumps(line)}))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _plain(self, value: Any) -> Any:
        return value if isinstance(value, (bool, int, float)) else self._hide(str(value))[:_LONGEST]


class _File(RotatingFileHandler):
    """Files that take turns."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line."""
        _log.warning("the audit log cannot be written", exc_info=True)
