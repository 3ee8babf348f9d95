"""Verified downloads: https, a checksum known beforehand, resumed where they stopped, never half a file."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from napari_lightbox.errors import DownloadError

Report = Callable[[float], None]
_BLOCK = 2**18
_TIMEOUT = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def download(url: str, path: Path, sha256: str, *, size: int | None = None, report: Report | None = None) -> Path:
    """Fetch a file unless it is there already, check it, and move it into place.

    Parameters
    ----------
    url
        Where it lies; https, or http on this machine itself.
    path
        Where it goes. What has arrived so far waits beside it under the ending ``.part``.
    sha256
        Checksum of the whole file.
    size
        Bytes of the whole file; more than that is not taken.
    report
        Called with the fraction done; what it raises stops the download, to be resumed later.

    Raises
    ------
    DownloadError
        No connection, a server that refuses, a full disk, or another file than was promised.
    """
    _check_address(url)
    if path.is_file() and sha256_of(path) == sha256:
        return path
    part = path.with_name(f"{path.name}.{sha256[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        resumed = _fetch(url, part, size, report)
        if resumed and sha256_of(part) != sha256:
            part.unlink()
            _fetch(url, part, size, report)
        if sha256_of(part) != sha256:
            part.unlink()
            raise DownloadError(url, "is not the promised file (its checksum differs)", "Tell whoever maintains the link")
        part.replace(path)
    except urllib.error.HTTPError as error:
        raise DownloadError(url, f"the server answers {error.code} {error.reason}", f"Bring the file as {path}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        way_out = f"Check the network and try again: it goes on where it stopped. Without a network, bring the file as {path}"
        raise DownloadError(url, f"cannot be reached ({reason})", way_out) from error
    except OSError as error:
        raise DownloadError(str(path), f"cannot be written ({error})", "Free some space or choose another folder") from error
    return path


def _fetch(url: str, part: Path, size: int | None, report: Report | None) -> bool:
    """Append what is missing to `part`; tell whether there was a beginning already."""
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have >= size:
        return True
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = _opener().open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return True
        raise
    with answer:
        resumed = have > 0 and answer.status == 206
        done = have if resumed else 0
        rest = answer.headers.get("Content-Length")
        total = size if size is not None else done + int(rest) if rest and rest.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            done = _copy(answer, file, url, done, total, report)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done < total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")
    return resumed


def _copy(answer: Any, file: IO[bytes], url: str, done: int, total: int | None, report: Report | None) -> int:
    while block := answer.read(_BLOCK):
        done += len(block)
        if total is not None and done > total:
            raise DownloadError(url, f"sends more than the {total} bytes that were promised", "Tell whoever maintains the link")
        file.write(block)
        if report is not None and total:
            report(done / total)
    return done


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects as long as they stay encrypted."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_SafeRedirects)


def is_safe(url: str) -> bool:
    """Tell whether an address is encrypted, or leads to this machine itself."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    except ValueError:
        return False


def _check_address(url: str) -> None:
    if not is_safe(url):
        raise DownloadError(url, "is not an https address", "Give an address that begins with https://")


def sha256_of(path: Path) -> str:
    """Return the checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
