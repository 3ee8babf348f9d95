"""From what a server says about the outputs of a job to what the caller gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.axes import Volume
from napari_lightbox.client.answers import field, mapping
from napari_lightbox.client.early import Early
from napari_lightbox.client.link import Link
from napari_lightbox.client.remote_array import Maker, RemoteArray
from napari_lightbox.contract import Technique, registry
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.encoding import decode, unplain
from napari_lightbox.engine.origins import MEASURED
from napari_lightbox.engine.provenance import record, sealed, with_provenance
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import LightboxError, WireError
from napari_lightbox.wire import ArrayCard

_PREFIX = "array:"
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)

Later = Callable[[str], Any]


def arrays_of(link: Link, answer: Any, maker: Maker) -> Iterator[RemoteArray]:
    """Yield the arrays that a job is about to write."""
    for encoded in field(answer, "outputs", dict).values():
        if isinstance(encoded, Mapping) and encoded.get("kind") == "volume":
            yield _array(link, answer, encoded.get("data"), maker)


def outcome_of(link: Link, answer: Any, maker: Maker, *, lazy: bool, early: Early | None, later: Later) -> Outcome:
    """Return what a job gave.

    Parameters
    ----------
    link, maker
        Where the arrays come from, and the job that makes them.
    answer
        What the server says about the outputs.
    lazy
        Whether pixels stay there until somebody looks at them; otherwise they are fetched.
    early
        What is on its way already.
    later
        Returns a stand-in for an output that is not known yet, by name.

    Raises
    ------
    LightboxError
        The server says something that cannot be, or an array cannot be fetched.
    """
    outputs = {
        name: later(name) if _is_pending(encoded) else _decoded(link, answer, encoded, maker, lazy, early)
        for name, encoded in field(answer, "outputs", dict).items()
    }
    if not outputs:
        raise WireError("job", "has no outputs", "Run it again, or tell who runs the server")
    return Outcome(outputs, unplain(field(answer, "provenance", dict)), answer.get("preview") is True)


def output_of(link: Link, answer: Any, name: str, maker: Maker) -> Any:
    """Return one output of a job that is done."""
    return _decoded(link, answer, field(answer, "outputs", dict).get(name), maker, lazy=False, early=None)


def remembering(request: Request, outcome: Outcome, *, complete: bool) -> Outcome:
    """Return an outcome that knows how it was made, as one that was made here does.

    Parameters
    ----------
    request
        What was asked for, with inputs that say what they hold.
    outcome
        What came back.
    complete
        Whether all values are here.
    """
    first = request.inputs[0] if request.inputs else None
    try:
        technique = registry.get(request.technique)
        bound = bind(technique, request.inputs, request.parameters, mask=request.mask, over=request.over)
    except LightboxError:
        # the server has techniques that this side has not
        return _with_metadata(outcome, first)
    _check_kinds(technique, outcome)
    names = [spec.name for spec in technique.outputs]
    if list(outcome.outputs) != names or outcome.provenance.get("version") != __version__:
        return _with_metadata(outcome, first)
    values = tuple(outcome.outputs.values())
    if bound.first.volume is not None:
        values = with_provenance(bound, values)
    if complete:
        values = sealed(names, values, Control())
    return Outcome(dict(zip(names, values, strict=True)), record(bound), outcome.preview)


def _check_kinds(technique: Technique, outcome: Outcome) -> None:
    for spec in technique.outputs:
        value = outcome.outputs.get(spec.name)
        if spec.is_array and value is not None and not hasattr(value, "shape"):
            raise WireError(spec.name, f"came back as a {type(value).__name__}", "Use the same version on both sides")


def _with_metadata(outcome: Outcome, first: Any) -> Outcome:
    if not isinstance(first, Volume):
        return outcome
    metadata = {key: value for key, value in first.metadata.items() if key != MEASURED}
    outputs = {
        name: replace(value, metadata={**metadata, **value.metadata}) if isinstance(value, Volume) else value
        for name, value in outcome.outputs.items()
    }
    return replace(outcome, outputs=outputs)


def is_whole(answer: Any) -> bool:
    """Tell whether an answer leaves nothing open, so that it says the same when the job is over."""
    return not any(map(_is_pending, field(answer, "outputs", dict).values()))


def _is_pending(encoded: Any) -> bool:
    return isinstance(encoded, Mapping) and encoded.get("kind") == "pending"


def _decoded(link: Link, answer: Any, encoded: Any, maker: Maker, lazy: bool, early: Early | None) -> Any:
    whole = not (lazy and isinstance(encoded, Mapping) and encoded.get("kind") == "volume")

    def get(reference: Any) -> Any:
        found = early.read(_name(reference)) if whole and early is not None else None
        if found is not None:
            return found
        array = _array(link, answer, reference, maker)
        return array.read() if whole else array.lazy()

    try:
        return decode(encoded, get)
    except _BROKEN as error:
        raise WireError(
            "outputs", f"are not what this side understands ({type(error).__name__})", "Use the same version on both sides"
        ) from error


def _array(link: Link, answer: Any, reference: Any, maker: Maker) -> RemoteArray:
    name = _name(reference)
    card = mapping(answer.get("cards", {})).get(name)
    return RemoteArray(link, name, maker, None if card is None else ArrayCard.from_json(card))


def _name(reference: Any) -> str:
    """Return the name of an array that the server refers to."""
    if not isinstance(reference, str) or not reference.startswith(_PREFIX):
        raise WireError("outputs", "name something that is no array", "Use the same version on both sides")
    return reference.removeprefix(_PREFIX)
