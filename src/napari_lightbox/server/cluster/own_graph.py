"""A graph under names that no other run has."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dask._task_spec import DependenciesMapping, GraphNode, Task, convert_legacy_graph, cull, resolve_aliases
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
        nodes = fused(nodes, set(keys))
    run = uuid.uuid4().hex
    names = {key: _renamed(key, run) for key in nodes}
    own = {
        names[key]: node.substitute({d: names[d] for d in node.dependencies if d in names}, key=names[key])
        for key, node in nodes.items()
    }
    return own, names


def fused(nodes: Mapping[Key, GraphNode], keys: Collection[Key]) -> dict[Key, GraphNode]:
    """Return a graph in which tasks that follow each other alone are one; each that travels by itself costs milliseconds.

    Parameters
    ----------
    nodes
        A culled graph.
    keys
        What stays a task of its own, because it is asked for.
    """
    after = reverse_dict(DependenciesMapping(nodes))
    follower = {key: next(iter(after[key])) for key in nodes if len(after[key]) == 1 and key not in keys}
    joins = {key: to for key, to in follower.items() if _is_link(nodes[key]) and _is_link(nodes[to], 1)}
    before = {to: key for key, to in joins.items()}
    last = [key for key in nodes if key not in joins]
    return {key: _chain(nodes, before, key) for key in last}


def _is_link(node: GraphNode, dependencies: int | None = None) -> bool:
    return isinstance(node, Task) and dependencies in (None, len(node.dependencies))


def _chain(nodes: Mapping[Key, GraphNode], before: Mapping[Key, Key], key: Key) -> GraphNode:
    chain = [nodes[key]]
    while (link := before.get(chain[-1].key)) is not None:
        chain.append(nodes[link])
    return Task.fuse(*reversed(chain), key=key) if len(chain) > 1 else chain[0]


def _renamed(key: Key, run: str) -> Key:
    # dask tells kinds of tasks by the words in front, and groups of them by the first part of the key
    if isinstance(key, tuple):
        return (f"{key[0]}-{run}", *key[1:])
    return f"{key}-{run}"
