"""One exception tree: every message names the subject, the reason and the way out."""

from __future__ import annotations


class LightboxError(Exception):
    """Root of all errors raised by napari-lightbox.

    Parameters
    ----------
    subject
        What is wrong: an input, a parameter, a file.
    reason
        Why it cannot be used.
    way_out
        What to do next, as an instruction.
    """

    def __init__(self, subject: str, reason: str, way_out: str) -> None:
        super().__init__(subject, reason, way_out)
        self.subject = subject
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        """Return the message a person reads."""
        return f"{self.subject}: {self.reason}. {self.way_out}"


class AxesError(LightboxError):
    """Axes, spacing or affine do not describe the array."""


class InputError(LightboxError):
    """An input array or layer cannot be used by the technique."""


class ParameterError(LightboxError):
    """A parameter has an unknown name, a wrong type or a value out of range."""


class UnknownTechniqueError(LightboxError):
    """No technique has this id."""


class ContractError(LightboxError):
    """A technique's declaration contradicts itself; raised while registering it."""


class RecipeError(LightboxError):
    """A recipe cannot be read or replayed."""


class DeltaError(LightboxError):
    """A change cannot be undone, redone or replayed on what is there now; nothing was changed."""


class MemoryForecastError(LightboxError):
    """A run would need more memory than the budget allows."""


class CancelledError(LightboxError):
    """The user stopped the run; nothing was left behind."""


class ReadError(LightboxError):
    """A file cannot be read."""


class WriteError(LightboxError):
    """A file cannot be written; what was there before is intact."""


class FormatError(LightboxError):
    """No reader or writer fits the path."""


class MissingDependencyError(LightboxError):
    """An optional dependency is not installed; the message names the extra."""


class DownloadError(LightboxError):
    """A file could not be fetched or its checksum is wrong."""


class WireError(LightboxError):
    """What came over the network is damaged, or not what was promised."""


class VersionError(LightboxError):
    """Client and server do not speak the same protocol."""


class ServerError(LightboxError):
    """The server failed, or what answers is no Lightbox server."""


class ConnectionLostError(LightboxError):
    """The server cannot be reached, or the connection broke and did not come back."""


class AccessError(LightboxError):
    """The token is missing or wrong, or what was asked for is outside of what it allows."""


class NotFoundError(LightboxError):
    """The server has nothing of this name."""


class GoneError(LightboxError):
    """The lease of a session or of a result is over, and what it held was given back."""


class QuotaError(LightboxError):
    """Somebody uses all that one user may use at a time."""


class BusyError(LightboxError):
    """The server cannot answer yet; asking again in a moment helps."""


class SpaceError(LightboxError):
    """The disk of the server is nearly full."""
