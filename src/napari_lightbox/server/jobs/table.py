"""The jobs of a server in one SQLite file, so that a server that starts again knows them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
    union,
    update,
)
from sqlalchemy.exc import IntegrityError

from napari_lightbox.errors import NotFoundError, ServerError
from napari_lightbox.server.jobs.job import UNFINISHED, Job

SCHEMA = 1
_FAR = 10**15
_ID, _OWNER = "wanted_id", "wanted_owner"
_meta = MetaData()
_jobs = Table(
    "jobs",
    _meta,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("request", JSON, nullable=False),
    Column("key", String),
    Column("first", JSON(none_as_null=True)),
    Column("priority", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("fraction", Float, nullable=False),
    Column("message", String, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("outputs", JSON(none_as_null=True)),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("lease_until", Float, index=True),
    Column("attempts", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),
    Index("one_key_per_owner", "owner", "key", unique=True),
    Index("by_status", "status", "owner", "gone"),
    Index("by_time", "owner", "gone", "created", "id"),
)
# made once: to make a statement takes longer than to run it
_get = select(_jobs).where(_jobs.c.id == bindparam(_ID))
_change = update(_jobs).where(_jobs.c.id == bindparam(_ID)).returning(*_jobs.c)
_count = select(func.count()).select_from(_jobs).where(_jobs.c.owner == bindparam(_OWNER), _jobs.c.status.in_(UNFINISHED))


class JobTable:
    """All jobs that were not deleted.

    Parameters
    ----------
    path
        The file; it is made when it is not there.

    Raises
    ------
    ServerError
        A newer version has written it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        self._writing = threading.Lock()
        event.listen(self._engine, "connect", _configure)
        with self._write() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if version > SCHEMA:
                raise ServerError(str(path), f"has version {version}, this server knows {SCHEMA}", "Update napari-lightbox")
            _meta.create_all(connection)
            connection.execute(text(f"PRAGMA user_version = {SCHEMA}"))

    def add(self, job: Job) -> Job:
        """Keep a new job and return it, or the one that its owner already made with this key."""
        try:
            with self._write() as connection:
                connection.execute(insert(_jobs).values(**asdict(job)))
        except IntegrityError:
            known = None if job.key is None else self.by_key(job.owner, job.key)
            if known is None:
                raise
            return known
        return job

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            There is none of this name.
        """
        with self._engine.connect() as connection:
            return _only(connection.execute(_get, {_ID: job_id}), job_id)

    def by_key(self, owner: str, key: str) -> Job | None:
        """Return the job that somebody made with a key."""
        found = self._select(_jobs.c.owner == owner, _jobs.c.key == key)
        return found[0] if found else None

    def list(self, owner: str | None = None, most: int | None = None) -> Sequence[Job]:
        """Return the jobs of one owner, or of all, that were not given back, oldest first.

        Parameters
        ----------
        owner
            Whose jobs; None for those of all.
        most
            How many of the newest; those that are to be run come in any case.
        """
        theirs = _kept(owner)
        if most is None:
            return self._select(*theirs)
        ids = select(_jobs.c.id).where(*theirs)
        newest = ids.order_by(_jobs.c.created.desc(), _jobs.c.id.desc()).limit(most).subquery()
        return self._select(_jobs.c.id.in_(union(select(newest.c.id), ids.where(_jobs.c.status.in_(UNFINISHED)))))

    def count(self, owner: str | None = None) -> int:
        """Return how many jobs of one owner, or of all, were not given back."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(_jobs).where(*_kept(owner))).scalar_one())

    def unfinished(self) -> Sequence[Job]:
        """Return the jobs that are to be run, oldest first."""
        return self._select(_jobs.c.status.in_(UNFINISHED))

    def expired(self, now: float) -> Sequence[Job]:
        """Return the jobs whose lease is over and whose results are still there."""
        return self._select(func.coalesce(_jobs.c.lease_until, _FAR) < now, _jobs.c.gone.is_(False))

    def forgotten(self, now: float) -> Sequence[Job]:
        """Return the jobs that were given back so long ago that nobody asks for them any more."""
        return self._select(func.coalesce(_jobs.c.lease_until, _FAR) < now, _jobs.c.gone.is_(True))

    def count_unfinished(self, owner: str) -> int:
        """Return how many jobs of somebody are to be run."""
        with self._engine.connect() as connection:
            return int(connection.execute(_count, {_OWNER: owner}).scalar_one())

    def update(self, job_id: str, **changes: Any) -> Job:
        """Change a job and return it as it is now.

        Raises
        ------
        NotFoundError
            There is none of this name.
        """
        with self._write() as connection:
            return _only(connection.execute(_change.values(**changes), {_ID: job_id}), job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        with self._write() as connection:
            connection.execute(delete(_jobs).where(_jobs.c.id == job_id))

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def _select(self, *conditions: Any) -> Sequence[Job]:
        query = select(_jobs).where(*conditions).order_by(_jobs.c.created, _jobs.c.id)
        with self._engine.connect() as connection:
            return [Job(**row) for row in connection.execute(query).mappings()]

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """Yield a connection for one change; changes take turns."""
        with self._writing, self._engine.begin() as connection:
            yield connection


def _kept(owner: str | None) -> Sequence[ColumnElement[bool]]:
    kept = _jobs.c.gone.is_(False)
    return [kept] if owner is None else [kept, _jobs.c.owner == owner]


def _only(found: CursorResult[Any], job_id: str) -> Job:
    row = found.mappings().first()
    if row is None:
        raise NotFoundError("job", f"{job_id[:40]!r} is not known", "List the jobs to see which there are")
    return Job(**row)


def _configure(connection: Any, _: Any) -> None:
    """Let readers go on while somebody writes, and make what was written survive the death of the process."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
