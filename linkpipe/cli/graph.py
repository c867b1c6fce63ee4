"""Draw the part of the reachability graph around a symbol or a package: DOT, GraphML, JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import attrs
import click

from linkpipe.cli._people import COUNT, print_json, print_numbers
from linkpipe.cli._target import GO_FLAGS, YES, ask, asks, linked


@asks("graph", GO_FLAGS, formats=("dot", "graphml"))
@click.option("--focus", metavar="WHAT", required=True, help="A symbol, a package or a pattern.")
@click.option(
    "--depth", metavar="N", type=COUNT, default=1, show_default=True, help="So many edges away."
)
@click.option("--after", metavar="PASS", default="", help="Ask after this pass.")
@click.option(
    "--limit", metavar="N", type=COUNT, default=500, show_default=True, help="Nodes; 0: all."
)
def command(target: str, focus: str, depth: int, after: str, limit: int, form: str) -> int:
    """Draw the part of the reachability graph around a symbol, a package, a module or a pattern of
    symbols: what keeps it and what it keeps, each edge with its reason. In text it is a list of
    edges; dot is for Graphviz, graphml for Gephi, yEd and networkx.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link.

    The exit status is 0; 2 when nothing has that name, or nothing of it is in the output; 3 when
    the program cannot be built.

    \b
    Examples:
      linkpipe graph --focus main.main --depth 2 ./cmd/prog
      linkpipe graph --focus net/http --format dot ./cmd/prog | dot -Tsvg >http.svg
      linkpipe graph --focus 'os.*File*' --format graphml --output file.graphml ./cmd/prog
    """
    from linkpipe.ask.around import around

    found = around(linked(target, after or "graph"), focus, depth, limit)
    if form == "json":
        print_json("linkpipe.graph/1", attrs.asdict(found))
        return YES
    names = {node.id: node.name for node in found.nodes}
    if form in ("dot", "graphml"):
        from linkpipe.observe.graphs import dot, graphml

        data = [
            (node.id, {"name": node.name, "kind": node.kind, "size": node.size})
            for node in found.nodes
        ]
        edges = [(edge.source, edge.target, {"reason": edge.reason}) for edge in found.edges]
        (dot if form == "dot" else graphml)(sys.stdout, {"focus": focus}, data, edges)
    else:
        rows = [(names[each.source], each.reason, names[each.target]) for each in found.edges]
        print_numbers(("from", "reason", "to"), rows, count=0, fold=True)
    if found.left_out:
        print(f"{found.left_out} nodes more: --limit 0 shows all", file=sys.stderr)
    return YES


def main(argv: Sequence[str]) -> int:
    """``linkpipe graph``."""
    return ask(command, argv)
