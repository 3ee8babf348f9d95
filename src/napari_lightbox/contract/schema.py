"""A technique as JSON: for the command line, HTTP clients and pages."""

from __future__ import annotations

from typing import Any

from napari_lightbox.contract.parameters import Parameter
from napari_lightbox.contract.technique import Technique

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def describe(technique: Technique) -> dict[str, Any]:
    """Return the whole contract as JSON-ready data."""
    doc = technique.documentation
    return {
        "id": technique.id,
        "title": technique.title,
        "family": technique.family,
        "kind": technique.kind,
        "locality": technique.locality_name,
        "spatial": list(technique.spatial),
        "channels": technique.channels,
        "synonyms": list(technique.synonyms),
        "summary": doc.summary,
        "description": doc.description,
        "inputs": [
            {"name": i.name, "role": i.role.name, "aligned": i.role.aligned, "many": i.role.many, "optional": i.optional}
            for i in technique.inputs
        ],
        "outputs": [{"name": o.name, "role": o.role.name} for o in technique.outputs],
        "parameters": parameter_schema(technique),
    }


def parameter_schema(technique: Technique) -> dict[str, Any]:
    """Return the JSON Schema of the parameters as one object."""
    help_texts = technique.documentation.parameters
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: _property(p, help_texts.get(p.name, "")) for p in technique.parameters},
    }


def _property(parameter: Parameter, help_text: str) -> dict[str, Any]:
    schema = _value(parameter)
    if parameter.per_axis:
        schema = {"anyOf": [schema, {"type": "array", "items": schema}]}
    if parameter.optional:
        schema = {"anyOf": [schema, {"type": "null"}]}
    schema |= {"default": parameter.default, "description": help_text}
    if parameter.unit:
        schema["x-unit"] = parameter.unit
    if parameter.advanced:
        schema["x-advanced"] = True
    if parameter.visible_if:
        schema["x-visible-if"] = {parameter.visible_if.parameter: list(parameter.visible_if.values)}
    return schema


def _value(parameter: Parameter) -> dict[str, Any]:
    if parameter.kind == "choice":
        return {"enum": list(parameter.choices)}
    if parameter.kind == "sequence":
        return {"type": "array", "items": {"type": _TYPES[parameter.item]} if parameter.item else {}}
    schema: dict[str, Any] = {"type": _TYPES[parameter.kind]}
    if parameter.range.low is not None:
        schema["minimum"] = parameter.range.low
    if parameter.range.high is not None:
        schema["maximum"] = parameter.range.high
    return schema
