"""How a result was made: kept with every Volume as a graph of steps that knows the history of all inputs.

The history is a list of steps in an order in which they can run; the last one made the volume. Each step has an `id` that follows
from what was done to what, so that histories are joined without repeating what they share.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from dask.delayed import Delayed

from napari_lightbox import __version__
from napari_lightbox.axes import Volume
from napari_lightbox.engine.bind import Bound, default_over
from napari_lightbox.engine.content import content_hash
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.inputs import Source
from napari_lightbox.engine.origins import MEASURED, comparable, identity_of
from napari_lightbox.engine.provenance_old import upgraded

KEY = "provenance"
Entry = dict[str, Any]
_OF_THE_VOLUME = ("output", "content")
_MOST_LAZY = 1000
_of_values: weakref.WeakKeyDictionary[Any, list[Entry]] = weakref.WeakKeyDictionary()
_of_lazy: dict[Any, list[Entry]] = {}


def record(bound: Bound) -> Entry:
    """Return one step as JSON-ready data."""
    entry: Entry = {
        "technique": bound.technique.id,
        "version": __version__,
        "parameters": {name: _plain(value) for name, value in bound.parameters.items()},
        "over": bound.over,
        "over_asked": bound.over != default_over(bound.technique, bound.first, bound.parameters),
        "inputs": list(_inputs(bound)),
    }
    if bound.mask is not None:
        entry["mask"] = _describe(bound.mask)
    return entry | {"id": step_id(entry)}


def step_id(entry: Mapping[str, Any]) -> str:
    """Return the id of a step: equal for the same technique, parameters and inputs."""
    read = [_read_from(i) for i in entry["inputs"]]
    done = [entry["technique"], entry["parameters"], entry["over"], read, _read_from(entry["mask"]) if "mask" in entry else None]
    return hashlib.blake2b(json.dumps(done, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def steps_of(metadata: Mapping[str, Any]) -> list[Entry]:
    """Return the steps kept in some metadata, those of older versions as steps of this one."""
    return upgraded(metadata.get(KEY, ()), str(metadata.get("source", "")))


def history_of(value: Any) -> list[Entry]:
    """Return the steps that made a Volume, or points, a table or a transform of this session; empty for a true source."""
    if isinstance(value, Volume):
        return steps_of(value.metadata)
    if isinstance(value, Delayed):
        return list(_of_lazy.get(value.key, ()))
    try:
        return list(_of_values.get(value, ()))
    except TypeError:
        return []


def carried(lazy: Any, computed: Any) -> Any:
    """Return a computed table or transform with the history of the lazy one."""
    if isinstance(lazy, Delayed):
        _remember(computed, history_of(lazy))
    return computed


def with_provenance(bound: Bound, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the outputs with what was done appended to the joined histories of all inputs."""
    assert bound.first.volume is not None
    metadata = {k: v for k, v in bound.first.volume.metadata.items() if k != MEASURED}
    name = bound.first.volume.name
    title = f"{name} {bound.technique.title}".strip()
    past = joined([history_of(_given(source)) for source in _sources(bound)])
    entry = record(bound)
    past = [step for step in past if step["id"] != entry["id"]]
    return tuple(
        _with_history(value, [*past, entry | {"output": spec.name}], metadata, title)
        for spec, value in zip(bound.technique.outputs, outputs, strict=True)
    )


def sealed(names: Sequence[str], outputs: Sequence[Any], control: Control) -> tuple[Any, ...]:
    """Return computed outputs that say what they hold, so that later changes by hand are noticed, and what was measured."""
    values = {n: float(v) for n, v in zip(names, outputs, strict=True) if isinstance(v, (int, float, np.number))}
    return tuple(_sealed(output, values, control) for output in outputs)


def joined(histories: Sequence[Sequence[Entry]]) -> list[Entry]:
    """Return the steps of several histories, each once, in an order in which they can run."""
    steps: dict[str, Entry] = {}
    for history in histories:
        for step in history:
            steps.setdefault(step["id"], {k: v for k, v in step.items() if k not in _OF_THE_VOLUME})
    return list(steps.values())


def _sealed(output: Any, values: Mapping[str, float], control: Control) -> Any:
    if not isinstance(output, Volume):
        return output
    *past, last = steps_of(output.metadata)
    extra: Entry = {"values": dict(values)} if values else {}
    if output.role == "labels" and isinstance(output.data, np.ndarray):
        extra["content"] = content_hash(output.data, check=control.check)
    return replace(output, metadata={**output.metadata, KEY: [*past, last | extra]}) if extra else output


def _with_history(value: Any, history: list[Entry], metadata: Mapping[str, Any], title: str) -> Any:
    if isinstance(value, Volume):
        return replace(value, metadata={**metadata, KEY: history}, name=title)
    _remember(value, history)
    return value


def _remember(value: Any, history: list[Entry]) -> None:
    if isinstance(value, Delayed):  # cannot be referred to weakly
        _of_lazy[value.key] = history
        while len(_of_lazy) > _MOST_LAZY:
            del _of_lazy[next(iter(_of_lazy))]
        return
    with suppress(TypeError):  # numbers cannot be followed
        _of_values[value] = history


def _sources(bound: Bound) -> Iterator[Any]:
    """Yield all inputs, the mask of the engine last."""
    yield from (a for a in bound.arrays if a is not None)
    yield from (v for v in bound.values.values() if v is not None)
    if bound.mask is not None:
        yield bound.mask


def _given(source: Any) -> Any:
    return source.volume if isinstance(source, Source) else source


def _inputs(bound: Bound) -> Iterator[Entry]:
    arrays = [a for a in bound.arrays if a is not None]
    if bound.technique.inputs[0].role.many and _is_stack(arrays):
        yield _describe(arrays[0]) | {"stack": len(arrays)}
        return
    yield from map(_describe, arrays)
    for name, value in bound.values.items():
        if isinstance(value, Source):
            yield _describe(value)
        elif isinstance(value, (str, int, float, bool)):
            yield {"input": name, "value": value}
        elif value is not None:
            yield {"input": name, "role": _role(bound, name), **_made_or_identity(value, None)}


def _is_stack(arrays: Sequence[Source]) -> bool:
    """Tell whether the images of a collection are the slices of one volume, which share its metadata."""
    volumes = [a.volume for a in arrays]
    first = volumes[0]
    return len(volumes) > 1 and first is not None and all(v is not None and v.metadata is first.metadata for v in volumes)


def _describe(source: Source) -> Entry:
    volume = source.volume
    metadata: Mapping[str, Any] = volume.metadata if volume is not None else {}
    entry: Entry = {
        "input": source.name,
        "name": volume.name if volume is not None else "",
        "role": "labels" if source.role in ("labels", "seeds", "mask") else "image",
        "axes": source.axes,
        "axes_guessed": source.guessed,
        "shape": list(source.data.shape),
        "dtype": str(source.data.dtype),
    }
    array = volume.data if volume is not None else source.data
    origin = _made_or_identity(volume if volume is not None else array, metadata.get(MEASURED))
    if "step" not in origin:
        if source.is_lazy and MEASURED not in metadata:
            entry["lazy"] = True
        if "source" in metadata and not history_of(volume):
            entry["path"] = str(metadata["source"])
    return entry | origin


def _made_or_identity(value: Any, measured: str | None) -> Entry:
    """Return which step made a value; for a source, or a result that was changed by hand since, which array it is."""
    history = history_of(value)
    array = value.data if isinstance(value, Volume) else value
    here = identity_of(array, measured)
    if not history:
        return {"identity": here}
    last = history[-1]
    made = {"step": last["id"], "output": last.get("output", "")}
    was = f"content:{last['content']}" if "content" in last else ""
    if was and comparable(was, here) and was != here:
        return {"identity": here, "edited": made}
    return made


def _read_from(given: Mapping[str, Any]) -> list[Any]:
    if "step" in given:
        return [given["input"], given["step"], given["output"]]
    described = [given.get(k) for k in ("axes", "value", "stack")]
    return [given["input"], given.get("identity"), *described]


def _role(bound: Bound, name: str) -> str:
    return next((s.role.name for s in bound.technique.inputs if s.name == name), "")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
