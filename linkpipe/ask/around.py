"""The part of the reachability graph around something: what keeps it and what it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I64
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import find, graph_of
from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.graphs.csr import Csr
from linkpipe.graphs.graph import ROOT
from linkpipe.values import Value, record


@record
class Node(Value):
    """A symbol of the output.

    Attributes:
        id: its number, 0 for what stands for the roots.
        name, kind, size: what it is called, the kind of its content, its bytes in memory.
        package: what it is of; "" for what is of none.
        distance: how many edges it is away from what was asked for, in one direction.
    """

    id: int
    name: str
    kind: str
    size: int
    package: str
    distance: int


@record
class Edge(Value):
    """``source`` keeps ``target``, numbers of nodes, for ``reason``."""

    source: int
    target: int
    reason: str


@record
class Around(Value):
    """Nodes by distance and number, the edges between them, and how many nodes were ``left_out``
    because there are too many."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int


def around(link: Link, focus: str, depth: int = 1, limit: int = 0) -> Around:
    """What is ``depth`` edges away from ``focus`` at most, against and along their direction:
    symbols, a package, a module or a pattern. ``limit``: nodes at most, the nearest first.

    ``link`` has run up to the pass that provides ``graph``, or further. Raises UserError when
    nothing has that name, nothing of it is in the output, or the link has not come that far.
    """
    graph, modules = graph_of(link), Modules(link)
    inside = np.zeros(len(graph.symbols), np.bool_)
    inside[graph.node_ids] = True
    start = np.concatenate([subject.symbols for subject in find(modules, focus)])
    start = start[inside[start]]
    if not len(start):
        raise UserError(f"nothing of {focus} is in the output", status=1, label="linkpipe")
    distance = np.full(len(graph.symbols), -1, np.int64)
    for csr in (graph.csr, graph.transposed):
        found = _distances(csr, start, depth)
        nearer = (found >= 0) & ((distance < 0) | (found < distance))
        distance[nearer] = found[nearer]
    nodes = np.flatnonzero(distance >= 0)
    nodes = nodes[np.argsort(distance[nodes], kind="stable")]
    shown = nodes[: limit or None]
    packages, labels = modules.owners(shown)
    of = (labels[row] if row < len(modules.packages) else "" for row in packages.tolist())
    told = [
        Node(node, **_told(graph.attributes(node)), package=package, distance=int(distance[node]))
        for node, package in zip(shown.tolist(), of, strict=True)
    ]
    kept = np.zeros(len(graph.symbols), np.bool_)
    kept[shown] = True
    counts = graph.csr.starts[shown + 1] - graph.csr.starts[shown]
    rows = expand(graph.csr.starts[shown], counts)
    source, target = np.repeat(shown, counts), graph.csr.targets[rows]
    edges = [
        Edge(int(source[row]), int(target[row]), graph.reason(int(graph.csr.reasons[rows[row]])))
        for row in np.flatnonzero(kept[target]).tolist()
    ]
    return Around(tuple(told), tuple(edges), len(nodes) - len(shown))


def _told(known: dict[str, Any]) -> dict[str, Any]:
    return {"name": known["name"], "kind": known.get("kind", ""), "size": known.get("size", 0)}


def _distances(csr: Csr, start: I64, depth: int) -> I64:
    """How far each node is from any of these, -1 beyond ``depth``: int64[n]. The roots are an end:
    what they lead to has nothing in common."""
    distance = np.full(len(csr.starts) - 1, -1, np.int64)
    distance[start] = 0
    wave = start
    for far in range(1, depth + 1):
        wave = wave[wave != ROOT]
        found = csr.targets[expand(csr.starts[wave], csr.starts[wave + 1] - csr.starts[wave])]
        wave = np.unique(found[distance[found] < 0]).astype(np.int64)
        distance[wave] = far
    return distance
