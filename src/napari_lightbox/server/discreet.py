"""Tokens never show: not in answers, not in logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"


class Discreet:
    """Takes the tokens of a server out of texts.

    Parameters
    ----------
    tokens
        What must not show.
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        spellings = {spelling for token in tokens for spelling in (token, quote(token, safe=""))}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return the text without tokens."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)


class DiscreetFormatter(logging.Formatter):
    """Writes log records without tokens.

    Parameters
    ----------
    hide
        What takes them out.
    """

    def __init__(self, hide: Discreet) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback when there is one."""
        return self._hide(super().format(record))
