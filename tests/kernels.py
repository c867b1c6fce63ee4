"""Kernels in each of their forms: compiled, and as the plain Python that their source is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conformance.toolchain import ROOT

CHECKED = os.environ.get("LINKPIPE_KERNELS", "")
"""A folder with kernels that were built into it, to be tested instead of the installed ones."""


def compiled(name: str) -> ModuleType:
    """The kernel as links use it, or as it was built into the folder."""
    module = f"linkpipe.kernels.{name}"
    if not CHECKED:
        return import_module(module)
    return _load(module, ROOT / CHECKED / "linkpipe/kernels" / f"{name}{EXTENSION_SUFFIXES[0]}")


def uncompiled(name: str) -> ModuleType:
    """The kernel's source, run by Python. (An import would find the compiled module.) Arrays are
    handed to it as memory views, whose elements are Python's integers and not numpy's."""
    module = _load(f"uncompiled_{name}", ROOT / "linkpipe" / "kernels" / f"{name}.py")
    for function, value in list(vars(module).items()):
        if isinstance(value, FunctionType) and not function.startswith("_"):
            setattr(module, function, _with_views(value))
    return module


def _with_views(function: FunctionType) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any) -> Any:
        return function(*(memoryview(a) if isinstance(a, np.ndarray) else a for a in args))

    return call


def forms(name: str) -> pytest.MarkDecorator:
    """Both, for a fixture."""
    return pytest.mark.parametrize(
        name, [compiled(name), uncompiled(name)], ids=["compiled", "uncompiled"]
    )


def _load(module: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(module, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
