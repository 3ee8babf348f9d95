"""Who may come in: named tokens, compared in constant time, and patience with wrong ones that runs out."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from napari_lightbox.errors import AccessError, LightboxError, ParameterError, ReadError
from napari_lightbox.server.config import ADMIN, Limits, check_tokens
from napari_lightbox.server.faults import AttemptsError

TOKEN_VARIABLE = "LIGHTBOX_TOKEN"
_MOST_ADDRESSES = 4096
_MOST_FILE_BYTES = 2**20


class Tokens:
    """Who is behind a token.

    Parameters
    ----------
    tokens
        Name to token.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._known = [(name, sha256(token.encode()).digest()) for name, token in tokens.items()]

    def owner_of(self, token: bytes) -> str | None:
        """Return the name behind a token, in a time that tells nothing about it."""
        given, found = sha256(token).digest(), None
        for name, known in self._known:
            # no early end: the time would tell which one it was
            if hmac.compare_digest(known, given):
                found = name
        return found


class Doorkeeper:
    """Lets in who has a token, and makes addresses wait that guess.

    Somebody who came in from an address before is let in while the address waits, so that a guesser beside a user locks
    out only itself. What is remembered is bounded.

    Parameters
    ----------
    tokens
        Who may come in.
    limits
        How many guesses, and how long to wait then.
    clock
        Seconds that only grow.
    """

    def __init__(self, tokens: Tokens, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._limits = limits
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._guests: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def let_in(self, authorization: list[bytes], address: str) -> str:
        """Return the name behind the Authorization headers of a request.

        Raises
        ------
        AccessError
            There is no token, or a wrong one.
        AttemptsError
            Too many wrong ones came from this address; whether this one is right is not told.
        """
        token = _bearer(authorization)
        owner, place = self._tokens.owner_of(token), neighbourhood(address)
        with self._lock:
            if self._has_to_wait(place) and (place, owner) not in self._guests:
                raise AttemptsError("token", "cannot be tried now: too many wrong ones came from here", "Wait half a minute")
            if owner is None:
                self._count(place)
                raise _refused("is wrong")
            self._welcome(place, owner)
            return owner

    def _has_to_wait(self, place: str) -> bool:
        count, last = self._wrong.get(place, (0, 0.0))
        return count >= self._limits.attempts and self._clock() - last < self._limits.attempt_seconds

    def _count(self, place: str) -> None:
        now = self._clock()
        count, last = self._wrong.pop(place, (0, now))
        self._wrong[place] = (1 if now - last >= self._limits.attempt_seconds else count + 1, now)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def _welcome(self, place: str, owner: str) -> None:
        self._guests[(place, owner)] = None
        self._guests.move_to_end((place, owner))
        while len(self._guests) > _MOST_ADDRESSES:
            self._guests.popitem(last=False)


def neighbourhood(address: str) -> str:
    """Return what counts as one address: an IPv6 user has a whole network of them."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((known, 64), strict=False)) if isinstance(known, IPv6Address) else str(known)


def random_token() -> str:
    """Return a new token."""
    return secrets.token_urlsafe(32)


def choose_tokens(file: Path | None) -> tuple[dict[str, str], bool]:
    """Return the tokens of a file, else that of the environment, else a new one; and whether it is new.

    Raises
    ------
    ReadError
        The file cannot be read, or others can read it.
    ParameterError
        A token can be guessed, or two are the same.
    """
    if file is not None:
        return read_tokens(file), False
    token = os.environ.get(TOKEN_VARIABLE)
    return ({ADMIN: token}, False) if token else ({ADMIN: random_token()}, True)


def read_tokens(path: Path) -> dict[str, str]:
    """Return the tokens of a file with a name and a token on each line; a line with one word is the token of ``admin``.

    Raises
    ------
    ReadError
        The file cannot be read, or others can read it.
    ParameterError
        A token can be guessed, or two are the same.
    """
    try:
        with path.open(encoding="utf-8") as file:
            # asked of the open file: its path may change hands in between
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_FILE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(str(path), f"cannot be read ({type(error).__name__})", "Write a name and a token on each line") from None
    if sys.platform != "win32" and mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ReadError(str(path), "can be read or changed by other users of this machine", f"Run: chmod 600 {path}")
    tokens: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        name, token = (ADMIN, words[0]) if len(words) == 1 else (words[0], words[1])
        if len(words) > 2 or name in tokens:
            raise ParameterError("token file", f"line {number} is no name with a token, or names it twice", "Correct the line")
        tokens[name] = token
    check_tokens(tokens)
    return tokens


def _bearer(authorization: list[bytes]) -> bytes:
    """Return the token of the one Authorization header."""
    if len(authorization) != 1:
        raise _refused("is missing" if not authorization else "is given twice")
    scheme, _, token = authorization[0].partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise _refused("is missing")
    return token


def _refused(reason: str) -> LightboxError:
    return AccessError("token", reason, "Give the token that the server printed when it started")
