"""Read the linear histories of older versions, and refuse what is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_NEEDED = ("technique", "parameters", "inputs")


def upgraded(history: Any, origin: str = "") -> list[dict[str, Any]]:
    """Return a history as steps with ids; in an old one each step worked on the result of the one before.

    `origin` is the file it came from: equal old steps on different files are different steps.
    What does not look like a history gives none: metadata come from files that anybody may have written.
    """
    if not isinstance(history, (list, tuple)) or not all(map(_is_step, history)):
        return []
    steps: list[dict[str, Any]] = []
    for number, entry in enumerate(history):
        if isinstance(entry.get("id"), str):
            steps.append(dict(entry))
        else:
            steps.append(_upgraded_step(entry, number, steps[-1]["id"] if steps else None, origin))
    return steps


def _upgraded_step(entry: Mapping[str, Any], number: int, before: str | None, origin: str) -> dict[str, Any]:
    from napari_lightbox.contract import registry
    from napari_lightbox.errors import UnknownTechniqueError

    try:
        names = [s.name for s in registry.get(entry["technique"]).inputs]
    except UnknownTechniqueError:
        names = [i.get("input") for i in entry["inputs"]]
    step = {"over": None, "version": "", **entry, "inputs": []}
    for position, given in enumerate(entry["inputs"]):
        described = {"input": "", **given}
        if position == 0 and before is not None:
            described |= {"step": before, "output": ""}
        else:
            described["identity"] = f"old:{origin}:{number}-{position}"
        if described["input"] == "mask" and "mask" not in names:
            step["mask"] = described
        else:
            step["inputs"].append(described)
    text = json.dumps([number, before, step], sort_keys=True, default=str)
    return step | {"id": hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}


def _is_step(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and all(key in entry for key in _NEEDED)
        and isinstance(entry["technique"], str)
        and isinstance(entry["parameters"], Mapping)
        and isinstance(entry["inputs"], list)
        and all(isinstance(i, Mapping) for i in entry["inputs"])
    )
