"""The description of the protocol, with the parameters of every technique as its contract states them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from napari_lightbox.contract import registry
from napari_lightbox.contract.schema import parameter_schema
from napari_lightbox.server.schemas import RequestOrder

_SCHEMAS = "#/components/schemas/"


def operation_id(route: APIRoute) -> str:
    """Return what clients call a route: its kind of thing, then what is done to it."""
    return f"{route.tags[0]}_{route.name}"


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the server."""
    told = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = told.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    told["security"] = [{"token": []}]
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    techniques = registry.find()
    schemas |= {_name(t.id): parameter_schema(t) for t in techniques}
    schemas[RequestOrder.__name__]["allOf"] = [_parameters_of(t.id) for t in techniques]
    return told


def _parameters_of(technique: str) -> dict[str, Any]:
    """Return the rule that says which parameters a technique takes."""
    named = {"properties": {"technique": {"const": technique}}}
    return {"if": named, "then": {"properties": {"parameters": {"$ref": _SCHEMAS + _name(technique)}}}}


def _name(technique: str) -> str:
    return f"parameters.{technique}"
