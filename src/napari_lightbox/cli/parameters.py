"""Read `-p name=value` by the type of the parameter."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from napari_lightbox.contract import Parameter, Technique
from napari_lightbox.errors import ParameterError

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def read_parameters(technique: Technique, texts: Iterable[str]) -> dict[str, Any]:
    """Return the parameters given as ``name=value``, checked.

    Raises
    ------
    ParameterError
        No ``=``, an unknown name or a value that does not fit.
    """
    known = technique.signature.by_name
    values: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator:
            raise ParameterError("-p", f"{text!r} has no '='", "Write it like -p sigma=2")
        if name not in known:
            raise ParameterError(name, f"is not a parameter of {technique.id}", f"Choose from: {', '.join(known) or 'none'}")
        values[name] = known[name].check(read_value(known[name], value.strip()))
    return values


def read_value(parameter: Parameter, text: str) -> Any:
    """Return the value that `text` means for a parameter; JSON and plain words both work."""
    if parameter.optional and text.lower() in ("none", "null", ""):
        return None
    if parameter.kind == "choice":
        return next((c for c in parameter.choices if str(c).lower() == text.lower()), text)
    if parameter.kind == "str":
        return text
    if parameter.kind == "bool":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    if "," in text:
        return [_number(part.strip()) for part in text.split(",") if part.strip()]
    return _number(text)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
