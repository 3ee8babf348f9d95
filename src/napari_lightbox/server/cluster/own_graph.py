"""A graph under names that no other run has."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from dask._task_spec import DependenciesMapping, GraphNode, convert_legacy_graph, cull, resolve_aliases
from dask.core import reverse_dict

Key = Any


def own_graph(graph: Any, keys: Sequence[Key]) -> tuple[dict[Key, GraphNode], dict[Key, Key]]:
    """Return what some keys need, renamed, and the new name of each of its keys.

    The same block may hang together differently in two runs: a join that one computes is known to the other, and neighbours are
    fused by what is asked for. A dask scheduler that meets both under one name can wait for ever.

    Parameters
    ----------
    graph
        A graph in any of dask's forms.
    keys
        What is wanted of it.
    """
    known = graph if isinstance(graph, Mapping) else graph.__dask_graph__()
    nodes = cull(convert_legacy_graph(known), list(keys))
    if nodes:
        # a block that is nothing but another one under its own name would be a task of its own
        nodes = resolve_aliases(nodes, set(keys), reverse_dict(DependenciesMapping(nodes)))
    run = uuid.uuid4().hex
    names = {key: _renamed(key, run) for key in nodes}
    own = {
        names[key]: node.substitute({d: names[d] for d in node.dependencies if d in names}, key=names[key])
        for key, node in nodes.items()
    }
    return own, names


def _renamed(key: Key, run: str) -> Key:
    # dask tells kinds of tasks by the words in front, and groups of them by the first part of the key
    if isinstance(key, tuple):
        return (f"{key[0]}-{run}", *key[1:])
    return f"{key}-{run}"
