"""Take apart what a server says, field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from napari_lightbox.client.replies import NOT_OURS
from napari_lightbox.engine.runner import Status
from napari_lightbox.errors import CancelledError, LightboxError, NotFoundError, ServerError, WireError
from napari_lightbox.wire import decode_error

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_STATUSES: tuple[Status, ...] = get_args(Status)
FINAL: tuple[Status, ...] = ("done", "failed", "cancelled")
T = TypeVar("T")


def mapping(answer: Any) -> dict[str, Any]:
    """Return an answer that consists of fields.

    Raises
    ------
    WireError
        It is something else.
    """
    if not isinstance(answer, dict):
        raise WireError("answer", "has no fields", NOT_OURS)
    return answer


def field(answer: Any, name: str, kind: type[T]) -> T:
    """Return one field of an answer.

    Raises
    ------
    WireError
        It is missing or of another type.
    """
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise WireError("answer", f"has no {name} that could be used", NOT_OURS)
    return value


def identity(text: Any) -> str:
    """Return an id that may be part of an address.

    Raises
    ------
    WireError
        It may not.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise WireError("answer", f"holds {str(text)[:40]!r}, which is no id", NOT_OURS)
    return text


def asked_id(text: str) -> str:
    """Return the id of a job that somebody here asks for.

    Raises
    ------
    NotFoundError
        Nothing can have it.
    """
    try:
        return identity(text)
    except WireError:
        raise NotFoundError("job", f"{str(text)[:40]!r} is no id", "See jobs() for those that are there") from None


def numbers(answer: Any, name: str, below: int) -> list[int]:
    """Return a list of whole numbers from 0 to below a limit, each once.

    Raises
    ------
    WireError
        It is something else.
    """
    values = field(answer, name, list)
    if not all(type(v) is int and 0 <= v < below for v in values):
        raise WireError("answer", f"has {name} that are not there", NOT_OURS)
    return list(dict.fromkeys(values))


@dataclass(frozen=True)
class JobCard:
    """What a server says about a job.

    Parameters
    ----------
    id, technique
        Which job it is.
    status, fraction, message
        Where it stands.
    priority
        0 comes first, 9 last.
    created, lease_until
        When it came, and how long its results are kept, as the server writes it.
    error
        Why it failed.
    """

    id: str
    technique: str
    status: Status
    fraction: float
    message: str
    priority: int = 5
    created: Any = None
    lease_until: Any = None
    error: LightboxError | None = None

    @classmethod
    def from_json(cls, card: Any) -> JobCard:
        """Return the card that a server sent.

        Raises
        ------
        WireError
            It is none.
        """
        status = next((s for s in _STATUSES if s == field(card, "status", str)), None)
        if status is None:
            raise WireError("job", f"is {card['status'][:40]!r}, which means nothing", "Use the same version on both sides")
        fraction = card.get("fraction")
        known = isinstance(fraction, (int, float)) and 0 <= fraction <= 1
        priority = card.get("priority")
        return cls(
            identity(card.get("id")),
            field(card, "technique", str),
            status,
            float(fraction) if known else 0.0,
            str(card.get("message") or ""),
            priority if type(priority) is int else 5,
            card.get("created"),
            card.get("lease_until"),
            None if card.get("error") is None else decode_error(card["error"]),
        )


@dataclass(frozen=True)
class JobList:
    """Jobs that a server keeps.

    Parameters
    ----------
    cards
        What it says about each, oldest first.
    older
        How many more there are, all of them over and older.
    """

    cards: Sequence[JobCard]
    older: int = 0

    @classmethod
    def from_json(cls, answer: Any) -> JobList:
        """Return the list that a server sent.

        Raises
        ------
        WireError
            It is none.
        """
        older = mapping(answer).get("older")
        cards = [JobCard.from_json(card) for card in field(answer, "jobs", list)]
        return cls(cards, older if type(older) is int and older > 0 else 0)


def check_done(card: JobCard | None) -> None:
    """Raise what ended a job, unless it is done."""
    if card is None:
        raise ServerError("job", "ended without saying how", "Run it again, or tell who runs the server")
    if card.status == "cancelled":
        raise CancelledError("run", "was cancelled", "Nothing was changed; start it again when you are ready")
    if card.status != "done":
        raise card.error or ServerError("job", "failed without saying why", "See the log of the server")
