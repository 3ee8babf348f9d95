"""Turn what the system and the codecs say into our errors: the file, the reason, the way out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_lightbox.errors import LightboxError, ReadError, WriteError

_NO_SPACE = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Raise `ReadError` naming `path` for whatever goes wrong inside."""
    try:
        yield
    except LightboxError:
        raise
    except PermissionError as error:
        raise ReadError(
            str(path), "cannot be opened: permission denied", "Ask for read access, or copy it to a folder of yours"
        ) from error
    except FileNotFoundError as error:
        missing = error.filename or path
        raise ReadError(str(path), f"{missing} does not exist", "Check the path; it may have been moved or renamed") from error
    except MemoryError as error:
        raise ReadError(
            str(path), "does not fit into memory", "Close other programs, or convert it to OME-Zarr on a larger machine"
        ) from error
    except Exception as error:
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(str(path), f"is damaged, incomplete or not what it claims to be ({detail})", _COPY_AGAIN) from error


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Raise `WriteError` naming `path` when the system refuses to write; other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        raise WriteError(str(path), *_write_reason(error)) from error


def damaged(path: Path | str, reason: str) -> ReadError:
    """Return the error for a file that is cut off or contradicts itself."""
    return ReadError(str(path), reason, _COPY_AGAIN)


def _write_reason(error: OSError) -> tuple[str, str]:
    if error.errno in _NO_SPACE:
        return "no space left on the device or in the quota", "Free some space, or write to another disk"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return "permission denied", "Choose a folder that you may write to"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return f"the folder {error.filename or ''} does not exist".replace("  ", " "), "Create the folder first"
    if isinstance(error, IsADirectoryError):
        return "is a folder", "Choose a file name"
    detail = " ".join(str(error).split())[:200] or type(error).__name__
    return f"the system refused to write it ({detail})", "Check the disk and the path, then try again"


_COPY_AGAIN = "Copy it again from its source; the file was not changed"
