"""What networkx shows about the backend (see backend.py).

A module of its own, without imports: networkx asks for it while it is itself being imported,
in every program that uses networkx where linkpipe is installed.
"""

from __future__ import annotations

from typing import Any

NATIVE = (
    "ancestors",
    "bfs_layers",
    "bidirectional_shortest_path",
    "descendants",
    "has_path",
    "immediate_dominators",
    "shortest_path",
    "shortest_path_length",
    "single_source_shortest_path_length",
)
"""Algorithms with an implementation on the graph's columns."""


def backend_info() -> dict[str, Any]:
    """The backend's description, as networkx wants it."""
    return {
        "backend_name": "linkpipe",
        "project": "linkpipe",
        "package": "linkpipe",
        "short_summary": "The reachability graph of a link, as columns.",
        "functions": {name: {} for name in NATIVE},
    }
