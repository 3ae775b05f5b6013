"""Comparing a plan with the one that a request should get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

from nonet.eval.items import Graph

if TYPE_CHECKING:
    from nonet.agents.plan import Plan

Edges = Sequence[tuple[int, int]]
_MOST_NODES = 8
"""Plans of more are compared by their specialists and edges alone: 8! renamings take a second."""


def graph_of(plan: Plan) -> Graph:
    """Specialists, and edges by place."""
    ids = [subtask.id for subtask in plan.subtasks]
    edges = [(ids.index(name), ids.index(subtask.id)) for subtask in plan.subtasks for name in subtask.inputs]
    return Graph(tuple(subtask.specialist for subtask in plan.subtasks), tuple(edges))


def compare_plans(nodes: Sequence[str], edges: Edges, wanted: Graph) -> dict[str, float]:
    """Node F1 of the multisets of specialists, edge F1 of those of (specialist, specialist) pairs, and exactness.

    Two plans without edges agree in them. Exact: the same under some renaming.

    >>> compare_plans(["code", "retrieval"], [(1, 0)], Graph(("retrieval", "code"), ((0, 1),)))
    {'node_f1': 1.0, 'edge_f1': 1.0, 'exact': 1.0}
    """
    labelled: list[Hashable] = [(nodes[a], nodes[b]) for a, b in edges]
    needed: list[Hashable] = [(wanted.nodes[a], wanted.nodes[b]) for a, b in wanted.edges]
    node = f1(Counter(nodes), Counter(wanted.nodes))
    edge = f1(Counter(labelled), Counter(needed))
    exact = node == 1.0 and edge == 1.0 and _same(nodes, edges, wanted)
    return {"node_f1": node, "edge_f1": edge, "exact": float(exact)}


def f1(found: Counter[Any], wanted: Counter[Any]) -> float:
    """Of two multisets; 1 where both are empty."""
    if not found and not wanted:
        return 1.0
    common = sum((found & wanted).values())
    return 2 * common / (sum(found.values()) + sum(wanted.values()))


def _same(nodes: Sequence[str], edges: Edges, wanted: Graph) -> bool:
    if len(nodes) > _MOST_NODES:
        return True
    target = set(wanted.edges)
    return any(
        all(nodes[place] == wanted.nodes[order[place]] for place in range(len(nodes)))
        and {(order[a], order[b]) for a, b in edges} == target
        for order in permutations(range(len(nodes)))
    )
