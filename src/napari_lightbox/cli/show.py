"""`lightbox show ID`: what one technique takes, gives and promises."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.contract import Parameter, Technique

LOCALITIES = {
    "pointwise": "Each pixel is computed from the pixel at the same place; any part of an image can be computed alone.",
    "halo": "Each pixel is computed from its neighbourhood; any part of an image can be computed alone, borders included.",
    "plane": "Each plane (y, x) is computed as a whole; planes are independent of one another.",
    "volume": "Each volume (z, y, x) is computed as a whole; time points and channels are independent.",
    "global_then_pointwise": "A statistic of the whole image is gathered first, block by block; then each pixel alone.",
    "merge_labels": "Blocks are labelled alone and joined where objects touch across block faces.",
    "sequence": "Frames are computed in order of time; checkpoints allow a start in the middle.",
    "whole": "The result may depend on every pixel, so the image is computed as a whole, within the memory budget.",
    "collection": "Several images are combined into one result.",
}
_WIDTH = 100


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser("show", help="explain a technique", description="Explain a technique and its parameters.")
    parser.add_argument("id", metavar="ID", help="technique id, such as gaussian_blur")
    parser.add_argument("--json", action="store_true", help="print the full contract as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the technique."""
    from napari_lightbox.contract import describe, registry

    technique = registry.get(arguments.id)
    if arguments.json:
        import json

        print(json.dumps(describe(technique), indent=2))
    else:
        print("\n".join(_lines(technique)))
    return 0


def _lines(technique: Technique) -> Iterator[str]:
    doc = technique.documentation
    yield f"{technique.title}  ({technique.id}, {technique.family})"
    if technique.synonyms:
        yield f"Also called: {', '.join(technique.synonyms)}"
    yield ""
    yield from textwrap.wrap(doc.summary, _WIDTH)
    for paragraph in doc.description.split("\n\n"):
        yield from textwrap.wrap(paragraph, _WIDTH)
    yield ""
    yield from textwrap.wrap(f"How it runs: {LOCALITIES[technique.locality_name]}", _WIDTH)
    dimensions = " and ".join(f"{n}D" for n in technique.spatial)
    yield f"Works over {dimensions}; it is repeated over all other axes."
    yield ""
    yield "Inputs: " + ", ".join(f"{i.name} ({i.role.name}{', optional' if i.optional else ''})" for i in technique.inputs)
    yield "Outputs: " + ", ".join(f"{o.name} ({o.role.name})" for o in technique.outputs)
    if technique.parameters:
        yield ""
        yield "Parameters (-p name=value):"
    for parameter in technique.parameters:
        yield f"  {parameter.name} = {shown(parameter.default)}    {allowed(parameter)}"
        help_text = doc.parameters.get(parameter.name, "")
        yield from textwrap.wrap(help_text, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    if "References" in doc.sections:
        yield ""
        yield "References:"
        yield textwrap.indent(doc.sections["References"], "  ")


def shown(value: Any) -> str:
    """Return a default value as a person would type it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def allowed(parameter: Parameter) -> str:
    """Return type, range, unit and choices of a parameter in words."""
    words = {"int": "whole number", "float": "number", "bool": "true or false", "str": "text", "sequence": "list"}
    kind = " | ".join(map(shown, parameter.choices)) if parameter.kind == "choice" else words[parameter.kind]
    parts = [f"odd {kind}" if parameter.odd else kind]
    low, high = parameter.range.low, parameter.range.high
    if low is not None and high is not None:
        parts.append(f"{low:g} to {high:g}")
    elif low is not None or high is not None:
        parts.append(f"at least {low:g}" if low is not None else f"at most {high:g}")
    if parameter.unit:
        parts.append({"physical": "physical units"}.get(parameter.unit, parameter.unit))
    if parameter.per_axis:
        parts.append("one or one per axis")
    if parameter.optional:
        parts.append("none = from the data")
    return ", ".join(parts)
