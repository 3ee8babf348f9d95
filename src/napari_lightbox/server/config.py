"""How a server is set up: one frozen value, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from napari_lightbox.errors import ParameterError
from napari_lightbox.wire.protocol import MOST_CHUNK_BYTES

ADMIN = "admin"
SHORTEST_TOKEN = 16
_LONGEST_PORT = 65535
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True)
class Limits:
    """What one request, one user and one lease may take.

    Parameters
    ----------
    body, message
        Most bytes of a chunk and of a JSON message.
    depth
        Most levels of a JSON message.
    headers, header_bytes
        Most headers of a request and their bytes together.
    head_seconds
        Time for the headers of a request to come in.
    slowest_rate, grace
        Bytes per second that a body must come with at least, after some seconds of grace.
    bodies, body_memory
        Bodies that are read at once: how many for one user, and how many bytes for all.
    streams
        Event streams and waits for chunks that one user may hold open.
    jobs
        Unfinished jobs that one user may have.
    quota, least_free
        Bytes on disk that one user may fill, and bytes that stay free whatever happens.
    lease
        Seconds that results live after the job was last looked at.
    session_idle, session_dead
        Seconds without work, and without a sign of life, after which a session ends.
    attempts, attempt_seconds
        Wrong tokens from one address before it has to wait, and how long it waits then.
    wait
        Most seconds to wait for a chunk that is not computed yet.
    keep_alive
        Seconds between two signs of life on a stream of events.
    """

    body: int = MOST_CHUNK_BYTES + 2**16
    message: int = 2**25
    depth: int = 32
    headers: int = 64
    header_bytes: int = 2**15
    head_seconds: float = 15.0
    slowest_rate: float = 2.0**13
    grace: float = 15.0
    bodies: int = 8
    body_memory: int = 2**30
    streams: int = 64
    jobs: int = 1000
    quota: int = 2**37
    least_free: int = 2**30
    lease: float = 7 * 24 * 3600.0
    session_idle: float = 3600.0
    session_dead: float = 120.0
    attempts: int = 10
    attempt_seconds: float = 30.0
    wait: float = 20.0
    keep_alive: float = 10.0

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        for name, value in vars(self).items():
            if value < 0 or (value == 0 and name not in ("least_free", "grace", "slowest_rate")):
                raise ParameterError(name, f"{value} lets nothing through", "Give a number above 0")


@dataclass(frozen=True)
class ServerConfig:
    """Where a server listens, who may come in, what it may read and what it may use.

    Parameters
    ----------
    folder
        Where sources, results, jobs and logs live.
    tokens
        Who may come in: name to token. The one named ``admin`` sees the jobs of all.
    host, port
        Address to listen on; port 0 takes a free one.
    names
        Further names under which clients reach the server, such as that of a proxy before it.
    roots
        Folders that references may read.
    hosts
        Hosts that references may fetch from, such as ``data.example.org`` or ``localhost:9000``.
    cert, key
        PEM files for TLS.
    insecure_network
        Whether to listen beyond this machine without TLS.
    workers, threads, memory
        Processes, threads of each and bytes of each; None leaves it to the machine.
    scheduler
        Address of a running dask scheduler to join; None starts workers of its own.
    limits
        What requests, users and leases may take.

    Raises
    ------
    ParameterError
        Something in it cannot be, or would be open to the network by mistake.
    """

    folder: Path
    tokens: Mapping[str, str] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    cert: Path | None = None
    key: Path | None = None
    insecure_network: bool = False
    workers: int | None = None
    threads: int | None = None
    memory: int | None = None
    scheduler: str | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        check_tokens(self.tokens)
        if not 0 <= self.port <= _LONGEST_PORT:
            raise ParameterError("port", f"{self.port} is none", f"Give a number from 0 to {_LONGEST_PORT}")
        for name in ("workers", "threads", "memory"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ParameterError(name, f"{getattr(self, name)} is not enough", "Give a number of at least 1")
        if (self.cert is None) != (self.key is None):
            raise ParameterError("cert", "and key belong together", "Give both --cert and --key, or neither")
        if not (self.is_loopback or self.tls or self.insecure_network):
            raise ParameterError(
                "host",
                f"{self.host} can be reached from the network, and without TLS everybody on the way reads token and images",
                "Give --cert and --key, or listen on 127.0.0.1 behind an SSH tunnel, or say --insecure-network",
            )

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.cert is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def is_admin(self, owner: str) -> bool:
        """Return whether somebody sees the jobs of all."""
        return owner == ADMIN


def check_tokens(tokens: Mapping[str, str]) -> None:
    """Refuse names that would spoil a log line and tokens that can be guessed or mixed up.

    Raises
    ------
    ParameterError
        The message never holds a token.
    """
    if not tokens:
        raise ParameterError("token", "is missing", "Give at least one")
    for name, token in tokens.items():
        if not name or len(name) > 64 or not set(name) <= _NAME:
            raise ParameterError("token", "has a name with other signs than letters, digits, dots, - and _", "Rename it")
        if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise ParameterError(
                "token",
                f"of {name} is shorter than {SHORTEST_TOKEN} signs or has spaces or special letters",
                "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
    if len(set(tokens.values())) != len(tokens):
        raise ParameterError("token", "is the same for two names", "Give each its own")
