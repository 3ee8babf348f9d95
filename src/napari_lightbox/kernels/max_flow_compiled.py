"""Compiled maximum flow on a pixel grid by two search trees that are kept from one push to the next (Boykov, Kolmogorov).

Nodes are flat indices of a grid with a border of one pixel, so that no neighbour needs a bounds check. A node's arcs lead along
`steps`, which are in raster order: the way back along step k is step ``degree - 1 - k``. Flow only ever goes along paths, by
the smallest residual on them, so that each residual is right to a relative rounding error however far the capacities differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

_ROOT, _ORPHAN, _NONE = -1, -2, -3  # in place of a step to the parent
_OUTER, _LATEST, _TIME, _WAITING, _END = range(5)  # what `state` holds
_UNREACHED = 1 << 30


class Search(NamedTuple):
    """One flow problem and the state of its search.

    Parameters
    ----------
    residual
        What each arc still takes, `degree` arcs per node.
    terminal
        What a node still takes from the source (above 0) or still gives to the sink (below 0).
    steps
        Flat index step to each neighbour.
    side
        1 in the tree of the source, -1 in that of the sink, 0 for free nodes.
    parent
        Number of the step to the parent.
    stamp, distance
        When the way to the terminal was last known to be whole, and how long it was then.
    follow
        Linked list of the nodes from which the trees may grow; the last one leads to itself.
    orphans
        Ring of nodes that have lost their parent.
    state
        First and last of the linked list, number of pushes, begin and end of the ring.
    """

    residual: Any
    terminal: Any
    steps: Any
    side: Any
    parent: Any
    stamp: Any
    distance: Any
    follow: Any
    orphans: Any
    state: Any


@njit(nogil=True, cache=True)
def solve(search: Search) -> float:
    """Push all the flow there is and return its amount; then side 1 is what the source still reaches."""
    search.state[_OUTER] = -1
    for node in range(search.terminal.size):
        if search.terminal[node] != 0:
            search.side[node] = 1 if search.terminal[node] > 0 else -1
            search.parent[node], search.distance[node] = _ROOT, 1
            _activate(search.follow, search.state, node)
    flow = 0.0
    node, k = _meet(search, -1, search.steps.size)
    while node >= 0:
        flow += _push(search, node, k)
        _adopt(search)
        node, k = _meet(search, node, k)
    return flow


@njit(nogil=True, cache=True)
def _activate(follow: Any, state: Any, node: int) -> None:
    if follow[node] < 0:
        if state[_OUTER] < 0:
            state[_OUTER] = node
        else:
            follow[state[_LATEST]] = node
        state[_LATEST] = node
        follow[node] = node


@njit(nogil=True, cache=True)
def _next_active(follow: Any, state: Any, side: Any) -> int:
    """Take the first node off the list that still is in a tree; -1 when there is none."""
    while state[_OUTER] >= 0:
        node = state[_OUTER]
        after = follow[node]
        state[_OUTER] = -1 if after == node else after
        follow[node] = -1
        if side[node] != 0:
            return int(node)
    return -1


@njit(nogil=True, cache=True)
def _meet(search: Search, node: int, k: int) -> tuple[int, int]:
    """Let the trees grow, beginning at step `k` of `node`, until a step leads to the other tree; return it.

    The node is -1 when the trees cannot grow any further.
    """
    # taken out of the tuple once: each access to it counts references
    residual, steps, sides, parent = search.residual, search.steps, search.side, search.parent
    stamp, distance, follow, state = search.stamp, search.distance, search.follow, search.state
    degree = steps.size
    while True:
        side = sides[node] if node >= 0 else 0
        while k < degree and side != 0:
            near, back = node + steps[k], degree - 1 - k
            if residual[node * degree + k if side > 0 else near * degree + back] > 0:
                other = sides[near]
                if other == -side:
                    return node, k
                shorter = stamp[near] <= stamp[node] and distance[near] > distance[node] and parent[near] != _ROOT
                if other == 0 or shorter:
                    parent[near], stamp[near], distance[near] = back, stamp[node], distance[node] + 1
                if other == 0:
                    sides[near] = side
                    _activate(follow, state, near)
            k += 1
        node, k = _next_active(follow, state, sides), 0
        if node < 0:
            return node, k


@njit(nogil=True, cache=True)
def _push(search: Search, node: int, k: int) -> float:
    """Push what the path over the step `k` of a node takes and return it; nodes that this cuts off become orphans."""
    residual, steps, parent = search.residual, search.steps, search.parent
    degree = steps.size
    near, back = node + steps[k], degree - 1 - k
    tail, head, k = (node, near, k) if search.side[node] > 0 else (near, node, back)
    out = tail * degree + k
    amount: float = min(_slack(residual, parent, steps, tail, 1), _slack(residual, parent, steps, head, -1), residual[out])
    amount = min(amount, abs(search.terminal[_root(parent, steps, tail)]), abs(search.terminal[_root(parent, steps, head)]))
    residual[out] -= amount
    residual[head * degree + degree - 1 - k] += amount
    search.state[_WAITING], search.state[_END] = 0, 0
    _take(search, tail, amount, 1)
    _take(search, head, amount, -1)
    return amount


@njit(nogil=True, cache=True)
def _root(parent: Any, steps: Any, node: int) -> int:
    while parent[node] != _ROOT:
        node += steps[parent[node]]
    return node


@njit(nogil=True, cache=True)
def _slack(residual: Any, parent: Any, steps: Any, node: int, side: int) -> float:
    """Return what the arcs between a node and its root still take."""
    degree = steps.size
    least = np.inf
    while parent[node] != _ROOT:
        k = parent[node]
        above = node + steps[k]
        least = min(least, residual[above * degree + degree - 1 - k if side > 0 else node * degree + k])
        node = above
    return least


@njit(nogil=True, cache=True)
def _take(search: Search, node: int, amount: float, side: int) -> None:
    """Use up `amount` on the way from a node to its terminal; nodes that this cuts off become orphans, the nearest first."""
    residual, steps, parent, orphans, state = search.residual, search.steps, search.parent, search.orphans, search.state
    degree = steps.size
    first = state[_END]
    while parent[node] != _ROOT:
        k = parent[node]
        above = node + steps[k]
        down, up = above * degree + degree - 1 - k, node * degree + k
        if side < 0:
            down, up = up, down
        residual[down] -= amount
        residual[up] += amount
        if residual[down] <= 0:
            _abandon(parent, orphans, state, node)
        node = above
    search.terminal[node] -= side * amount
    if search.terminal[node] * side <= 0:
        search.terminal[node] = 0
        _abandon(parent, orphans, state, node)
    last = state[_END] - 1
    while first < last:
        orphans[first], orphans[last] = orphans[last], orphans[first]
        first, last = first + 1, last - 1


@njit(nogil=True, cache=True)
def _abandon(parent: Any, orphans: Any, state: Any, node: int) -> None:
    parent[node] = _ORPHAN
    orphans[state[_END]] = node
    state[_END] += 1
    if state[_END] == orphans.size:
        state[_END] = 0


@njit(nogil=True, cache=True)
def _adopt(search: Search) -> None:
    """Hang every orphan below the neighbour that is nearest to the terminal, or set it free."""
    residual, steps, sides, parent = search.residual, search.steps, search.side, search.parent
    stamp, distance, orphans, state = search.stamp, search.distance, search.orphans, search.state
    degree = steps.size
    state[_TIME] += 1
    time = state[_TIME]
    while state[_WAITING] != state[_END]:
        node = orphans[state[_WAITING]]
        state[_WAITING] = (state[_WAITING] + 1) % orphans.size
        side = sides[node]
        nearest, chosen = _UNREACHED, _NONE
        for k in range(degree):
            near = node + steps[k]
            if sides[near] == side and residual[near * degree + degree - 1 - k if side > 0 else node * degree + k] > 0:
                found = _trace(parent, stamp, distance, steps, time, near)
                if found < nearest:
                    nearest, chosen = found, k
        parent[node] = chosen
        if chosen == _NONE:
            _release(search, node, side)
        else:
            stamp[node], distance[node] = time, nearest + 1


@njit(nogil=True, cache=True)
def _trace(parent: Any, stamp: Any, distance: Any, steps: Any, time: int, node: int) -> int:
    """Return how far a node is from its terminal, and note it along the way; a large number when the way is broken."""
    above, count = node, 0
    while stamp[above] != time:
        k = parent[above]
        if k < _ROOT:
            return _UNREACHED
        if k == _ROOT:
            stamp[above], distance[above] = time, 1
        else:
            above += steps[k]
            count += 1
    found = count + distance[above]
    left = found
    while stamp[node] != time:
        stamp[node], distance[node] = time, left
        left -= 1
        node += steps[parent[node]]
    return int(found)


@njit(nogil=True, cache=True)
def _release(search: Search, node: int, side: int) -> None:
    """Take a node out of its tree; neighbours that could feed it may grow again, its children become orphans."""
    residual, steps, sides, parent = search.residual, search.steps, search.side, search.parent
    degree = steps.size
    sides[node] = 0
    for k in range(degree):
        near = node + steps[k]
        if sides[near] == side:
            if residual[near * degree + degree - 1 - k if side > 0 else node * degree + k] > 0:
                _activate(search.follow, search.state, near)
            if parent[near] == degree - 1 - k:
                _abandon(parent, search.orphans, search.state, near)


@njit(nogil=True, cache=True)
def capacity_between(capacity: Any, labels: Any, steps: Any) -> float:
    """Return what all arcs between different labels take together, each pair of pixels once; 0 takes no part."""
    degree = steps.size
    total = 0.0
    for node in range(labels.size):
        if labels[node] != 0:
            for k in range(degree // 2, degree):
                other = labels[node + steps[k]]
                if other != 0 and other != labels[node]:
                    total += capacity[node * degree + k]
    return total
