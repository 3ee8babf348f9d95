"""`apply` on a server: the same words as `lb.apply`, array in, array out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Technique
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.engine.bind import Bound, bind
from napari_lightbox.engine.inputs import Source
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Job


def apply_with(
    submit: Callable[[Request], Job],
    technique: Technique,
    inputs: tuple[Any, ...],
    parameters: Mapping[str, Any],
    *,
    axes: str | None,
    spacing: Any,
    mask: Any,
    over: str | None,
    compute: bool,
) -> Any:
    """Run a technique through somebody who takes requests, and return what `lb.apply` returns.

    Raises
    ------
    LightboxError
        An input or a parameter does not fit, or the run fails.
    """
    bound = bind(technique, inputs, parameters, axes=axes, spacing=spacing, mask=mask, over=over)
    request = Request(technique.id, _volumes(bound), parameters, mask=_volume(bound.mask), over=over, lazy=not compute)
    outputs = tuple(submit(request).result().outputs.values())
    if bound.first.volume is None:
        outputs = tuple(o.data if isinstance(o, Volume) else o for o in outputs)
    if len(outputs) == 1:
        return outputs[0]
    result = technique.signature.result
    return result(*outputs) if result is not None else outputs


def _volumes(bound: Bound) -> tuple[Any, ...]:
    """Return the inputs in declared order, arrays with their axes and their place."""
    if bound.technique.inputs[0].role.many:
        return ([_volume(source) for source in bound.arrays],)
    arrays = iter(bound.arrays)
    return tuple(
        _volume(next(arrays)) if spec.is_array and spec.role.aligned else _plain(bound.values[spec.name])
        for spec in bound.technique.inputs
    )


def _plain(value: Any) -> Any:
    return _volume(value) if isinstance(value, Source) else value


def _volume(source: Source | None) -> Volume | None:
    if source is None:
        return None
    given = source.volume
    role = "labels" if source.role in LABEL_ROLES else "image"
    if given is None:
        return Volume(source.data, source.geometry, role="labels" if role == "labels" else "image")
    return Volume(source.data, source.geometry, given.metadata, given.role, given.name)
