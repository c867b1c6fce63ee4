"""The reachability graph: the search that makes it, its columns, and how networkx speaks to it."""
