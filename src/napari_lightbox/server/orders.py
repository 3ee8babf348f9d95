"""What a job may ask for: techniques that exist, parameters that fit, and only what belongs to whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, TypeVar

from pydantic import BaseModel

from napari_lightbox.axes import Geometry
from napari_lightbox.contract import registry
from napari_lightbox.engine.encoding import unplain
from napari_lightbox.errors import WireError
from napari_lightbox.models.cache import list_models
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.server.deps import own_array, own_source
from napari_lightbox.server.schemas import RequestOrder
from napari_lightbox.server.services import Services
from napari_lightbox.server.store.roots import Roots
from napari_lightbox.server.values import ArrayName, GeometryPart

_WAY_OUT = "Use a client of this version"
_T = TypeVar("_T")


def check_order(order: RequestOrder, services: Services, owner: str) -> None:
    """Refuse a job before anything is stored of it.

    Raises
    ------
    LightboxError
        The technique does not exist, a parameter does not fit, or an input is not there for this user.
    """
    technique = registry.get(order.technique)
    technique.complete(parameters_of(order))
    for geometry in parts_of(order, GeometryPart):
        check_geometry(geometry)
    for name in parts_of(order, ArrayName):
        check_array(name, services, owner)
    for spec, value in zip(technique.inputs, order.inputs, strict=False):
        if spec.role.name == "model" and isinstance(value, str):
            check_model(value, services.config)


def parameters_of(order: RequestOrder) -> dict[str, Any]:
    """Return the parameters as the technique takes them.

    Raises
    ------
    WireError
        A number is spelled in a way that is none.
    """
    try:
        return {name: unplain(value) for name, value in order.parameters.items()}
    except (TypeError, ValueError):
        raise WireError("parameters", "hold a number that is none", _WAY_OUT) from None


def parts_of(value: Any, kind: type[_T]) -> Iterator[_T]:
    """Return everything of one kind in a message, wherever it stands."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, BaseModel):
        yield from parts_of(list(vars(value).values()), kind)
    elif isinstance(value, Mapping):
        yield from parts_of(list(value.values()), kind)
    elif isinstance(value, list):
        for item in value:
            yield from parts_of(item, kind)


def bytes_of(order: RequestOrder, services: Services) -> int:
    """Return how many bytes the arrays of an order hold together."""
    homes: dict[str, Callable[[str], Any]] = {
        "source": services.sources.get,
        "array": services.results.open,
        "reference": services.references.get,
    }
    cards = [homes[kind](name).card for kind, _, name in (n.partition(":") for n in parts_of(order, ArrayName))]
    return sum(prod(card.shape) * card.kind.itemsize for card in cards)


def check_geometry(part: GeometryPart) -> None:
    """Refuse places that no array can have.

    Raises
    ------
    LightboxError
        It says what does not fit.
    """
    try:
        Geometry.from_json(part.model_dump())
    except (TypeError, ValueError):
        raise WireError("geometry", "has rows of different lengths", _WAY_OUT) from None


def check_array(name: ArrayName, services: Services, owner: str) -> None:
    """Refuse arrays that are not there for this user.

    Raises
    ------
    NotFoundError
        It is not there, or belongs to somebody else.
    """
    kind, _, array_id = name.partition(":")
    if kind == "source":
        own_source(array_id, services, owner)
    elif kind == "array":
        own_array(array_id, services, owner)
    else:
        services.references.get(array_id)


def check_model(name: str, config: ServerConfig) -> None:
    """Refuse paths to models outside of what this server may read.

    Raises
    ------
    AccessError
        It is neither the name of a model nor a path below a folder that is allowed.
    """
    if name not in list_models():
        Roots(config.roots, config.folder).find(name)
