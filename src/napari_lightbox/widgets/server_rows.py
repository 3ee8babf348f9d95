"""What a server tells about itself, in words and rows; nothing that it says is taken for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from napari_lightbox.contract import registry
from napari_lightbox.engine.forecast import in_words
from napari_lightbox.errors import UnknownTechniqueError
from napari_lightbox.widgets.gauge_model import Cell, Row

if TYPE_CHECKING:
    from napari_lightbox.client.answers import JobCard

UNFINISHED = ("queued", "running")
_LONGEST = 60


def job_rows(cards: Sequence[JobCard], now: datetime) -> list[Row]:
    """Return one row per job, those that are not over first, the latest of each before the others."""
    ordered = sorted(cards, key=lambda card: (card.status not in UNFINISHED, -number(card.created)))
    return [Row(card.id, (Cell(title_of(card.technique)), _state(card), Cell(when(card.created, now)))) for card in ordered]


def worker_rows(cluster: Mapping[str, Any]) -> list[Row]:
    """Return one row per worker."""
    rows = []
    for number_, worker in enumerate(_list(cluster, "workers")):
        threads, tasks = round(number(worker.get("threads"))), round(number(worker.get("tasks")))
        used, memory = number(worker.get("used")), number(worker.get("memory"))
        busy = Cell(f"{tasks} of {threads}", tasks / threads if threads else 0.0, tip="Tasks that run now, of threads")
        held = Cell(f"{in_words(used)} of {in_words(memory)}" if memory else in_words(used), used / memory if memory else 0.0)
        name = str(worker.get("name", ""))[:_LONGEST]
        rows.append(Row(str(number_), (Cell(name, tip=name), busy, held)))
    return rows


def summary(cluster: Mapping[str, Any]) -> str:
    """Return how busy a server is, in one line."""
    workers = _list(cluster, "workers")
    threads = round(sum(number(worker.get("threads")) for worker in workers))
    running, queued = round(number(cluster.get("running"))), round(number(cluster.get("queued")))
    runs = f"{running} running, {queued} waiting" if running or queued else "nothing runs"
    return f"{_count(len(workers), 'worker')}, {_count(threads, 'thread')} · {runs}"


def disk_line(cluster: Mapping[str, Any]) -> str:
    """Return how much is stored and how much room is left, in one line."""
    disk = cluster.get("disk")
    disk = disk if isinstance(disk, Mapping) else {}
    by_user = disk.get("used")
    used = sum(number(n) for n in by_user.values()) if isinstance(by_user, Mapping) else 0.0
    quota, free = number(disk.get("quota")), number(disk.get("free"))
    stored = f"{in_words(used)} of {in_words(quota)} stored" if quota else f"{in_words(used)} stored"
    return f"Disk: {stored} · {in_words(free)} free"


def older_line(older: int) -> str:
    """Return how many runs are not listed, in one line."""
    return f"{_count(older, 'older run')} not listed"


def input_name(provenance: Mapping[str, Any]) -> str:
    """Return what the first input of a run was called, empty when nobody knows."""
    inputs = _list(provenance, "inputs")
    return str(inputs[0].get("name") or "")[:_LONGEST] if inputs else ""


def title_of(technique: str) -> str:
    """Return what people call a technique; its id where this side does not have it."""
    try:
        return registry.get(technique).title
    except UnknownTechniqueError:
        return technique[:_LONGEST]


def when(created: Any, now: datetime) -> str:
    """Return when something was: the time of today, else the day."""
    try:
        then = datetime.fromtimestamp(float(created), now.tzinfo)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    if then.date() == now.date():
        return f"{then:%H:%M}"
    return f"yesterday {then:%H:%M}" if then.date() == (now - timedelta(days=1)).date() else f"{then.day} {then:%b %H:%M}"


def number(value: Any) -> float:
    """Return a number that is none below 0, 0 for everything else."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    return max(float(value), 0.0) if usable else 0.0


def _state(card: JobCard) -> Cell:
    if card.status == "running":
        return Cell(f"{card.fraction:.0%}", card.fraction, tip=card.message)
    if card.status == "failed":
        return Cell("failed", tone="warning", tip=str(card.error or card.message))
    return Cell({"queued": "waiting"}.get(card.status, card.status), tip=card.message)


def _list(cluster: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    values = cluster.get(name)
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
