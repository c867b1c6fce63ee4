"""stub"""
from __future__ import annotations
from typing import Any
class Graph:
    def __init__(self, **kw: Any) -> None:
        self.__dict__.update(kw)
