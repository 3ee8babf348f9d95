"""References inside a recipe: which input, which output of which step, or a value that is part of the recipe."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from napari_lightbox.errors import RecipeError

_FORM = re.compile(r"(?:input(?::(?P<input>\d{1,6}))?|step:(?P<step>\d{1,6})(?:\.(?P<output>\w+))?)", re.ASCII)


@dataclass(frozen=True)
class Ref:
    """A parsed reference; an empty `output` is the main one."""

    kind: Literal["input", "step", "value"]
    number: int = 0
    output: str = ""
    value: Any = None


def read_ref(text: str) -> Ref | None:
    """Return what `text` refers to, None when it is no reference."""
    if text.startswith("value:"):
        try:
            return Ref("value", value=json.loads(text[6:]))
        except ValueError:
            return None
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    if match["step"] is not None:
        return Ref("step", int(match["step"]), match["output"] or "")
    return Ref("input", int(match["input"] or 0))


def parse(text: str) -> Ref:
    """Return what `text` refers to.

    Raises
    ------
    RecipeError
        It is no reference.
    """
    ref = read_ref(text)
    if ref is None:
        raise RecipeError("recipe", f"{text!r} is no reference", 'Use "input", "input:1", "step:0" or "step:0.name"')
    return ref


def written(ref: Ref) -> str:
    """Return a reference as text."""
    if ref.kind == "value":
        return f"value:{json.dumps(ref.value)}"
    if ref.kind == "input":
        return f"input:{ref.number}" if ref.number else "input"
    return f"step:{ref.number}" + (f".{ref.output}" if ref.output else "")
