"""Cut a graph into parts that each need a bounded number of input chunks, where what travels between them is small."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from dask._task_spec import GraphNode, _execute_subgraph

Needs = dict[str, set[int]]
Number = Callable[[Any], int]
_SMALL = ("-state", "-summary")


@dataclass
class Wave:
    """Keys that are computed together, the chunks they need, and those of them that are needed afterwards."""

    keys: list[Any] = field(default_factory=list)
    needs: Needs = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)


def needs_of(nodes: Iterable[GraphNode], names: Collection[str]) -> dict[str, set[Any]]:
    """Return the keys of some arrays that tasks read, also those that were fused into others."""
    found: dict[str, set[Any]] = {}
    work = list(nodes)
    while work:
        node = work.pop()
        if isinstance(node.key, tuple) and node.key[0] in names:
            found.setdefault(node.key[0], set()).add(node.key)
        if getattr(node, "func", None) is _execute_subgraph:
            work.extend(node.args[0].values())
    return found


def plan_waves(
    graph: Mapping[Any, GraphNode], keys: Sequence[Any], number: Mapping[str, Number], size: Mapping[str, int], room: int
) -> list[Wave]:
    """Return parts of a graph in an order in which they can run.

    The graph is cut at the wanted keys and at small values only (states of statistics, summaries of labels): nothing
    that is large leaves the workers.

    Parameters
    ----------
    number
        For each array whose chunks are counted: from a key to the number of the chunk.
    size
        Bytes of a chunk of each such array.
    room
        Bytes of chunks for one part; a single key may need more.
    """
    cuts = set(keys) | {key for key in graph if _is_small(key)}
    below = {cut: _below(graph, cut, cuts) for cut in cuts}
    needs = {
        cut: {name: {number[name](k) for k in found} for name, found in needs_of(nodes, number).items()}
        for cut, (nodes, _) in below.items()
    }
    before = {cut: others for cut, (_, others) in below.items()}
    waves = _packed(_ordered(before, needs), needs, size, room)
    home = {key: n for n, wave in enumerate(waves) for key in wave.keys}
    asked = set(keys)
    used_later = {other for cut, others in before.items() for other in others if home[other] < home[cut]}
    for wave in waves:
        wave.kept = [key for key in wave.keys if key in asked or key in used_later]
    return waves


def part_of(graph: Mapping[Any, GraphNode], keys: Iterable[Any], known: Mapping[Any, GraphNode]) -> dict[Any, GraphNode]:
    """Return the tasks behind some keys; known values stand for what made them."""
    found: dict[Any, GraphNode] = {}
    work = list(keys)
    while work:
        key = work.pop()
        if key in found:
            continue
        node = known[key] if key in known else graph[key]
        found[key] = node
        work.extend(node.dependencies)
    return found


def _is_small(key: Any) -> bool:
    name = key[0] if isinstance(key, tuple) else key
    if not isinstance(name, str) or not name.endswith(_SMALL):
        return False
    # the states of sequences carry whole frames
    return name.endswith("-summary") or "-statistic-" in name


def _below(graph: Mapping[Any, GraphNode], cut: Any, cuts: Collection[Any]) -> tuple[list[GraphNode], set[Any]]:
    """Return the tasks behind a cut down to other cuts, and those cuts."""
    nodes, others, seen = [graph[cut]], set(), {cut}
    work = list(graph[cut].dependencies)
    while work:
        key = work.pop()
        if key in seen or key not in graph:
            continue
        seen.add(key)
        if key in cuts:
            others.add(key)
            continue
        nodes.append(graph[key])
        work.extend(graph[key].dependencies)
    return nodes, others


def _ordered(before: Mapping[Any, set[Any]], needs: Mapping[Any, Needs]) -> list[Any]:
    """Return all cuts so that each comes after those it needs, and neighbouring chunks come together."""
    level: dict[Any, int] = {}
    for cut in TopologicalSorter(before).static_order():
        level[cut] = 1 + max((level[other] for other in before[cut]), default=-1)
    return sorted(level, key=lambda cut: (level[cut], min((min(c) for c in needs[cut].values() if c), default=-1)))


def _packed(order: Iterable[Any], needs: Mapping[Any, Needs], size: Mapping[str, int], room: int) -> list[Wave]:
    waves, used = [Wave()], 0
    for cut in order:
        new = {name: chunks - waves[-1].needs.get(name, set()) for name, chunks in needs[cut].items()}
        more = sum(size[name] * len(chunks) for name, chunks in new.items())
        if more and used and used + more > room:
            waves.append(Wave())
            new, used = {name: set(chunks) for name, chunks in needs[cut].items()}, 0
            more = sum(size[name] * len(chunks) for name, chunks in new.items())
        for name, chunks in new.items():
            waves[-1].needs.setdefault(name, set()).update(chunks)
        waves[-1].keys.append(cut)
        used += more
    return waves
