"""Forecast the memory of a run before it starts."""

from __future__ import annotations

from math import prod

from napari_lightbox.contract import Plane, Volume, Whole
from napari_lightbox.engine.bind import Bound
from napari_lightbox.errors import MemoryForecastError
from napari_lightbox.settings import settings


def element_bytes(bound: Bound) -> int:
    """Return the bytes of one mapped element of all array inputs and outputs together."""
    colour = bound.lengths("c")[0] if bound.colour else 1
    pixels = prod(bound.shape) * colour
    inputs = sum(s.data.dtype.itemsize for s in bound.arrays if s is not None)
    outputs = 4 * sum(1 for spec in bound.technique.outputs if spec.is_array and spec.present(bound.parameters))
    return int(pixels * (inputs + outputs))


def forecast(bound: Bound) -> int:
    """Return the expected peak memory in bytes of running one element that cannot be cut."""
    return int(element_bytes(bound) * bound.technique.memory)


def check_forecast(bound: Bound) -> None:
    """Raise when an element that cannot be cut does not fit into the memory budget.

    Raises
    ------
    MemoryForecastError
        The forecast is above the budget; the message says both and the ways out.
    """
    if not isinstance(bound.technique.locality, (Plane, Volume, Whole)):
        return
    need, budget = forecast(bound), settings().memory_budget
    if need <= budget:
        return
    planes = "yx" if len(bound.over) == 3 and 2 in bound.technique.spatial else None
    way_out = 'Work plane by plane (over="yx"), crop the image, or raise the memory budget (LIGHTBOX_MEMORY_BUDGET)'
    if planes is None:
        way_out = "Crop or rescale the image, or raise the memory budget (LIGHTBOX_MEMORY_BUDGET)"
    raise MemoryForecastError(
        bound.technique.id, f"would need about {in_words(need)}, the memory budget is {in_words(budget)}", way_out
    )


def in_words(size: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
