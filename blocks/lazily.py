"""Modules that are large and seldom needed: named where imports stand, loaded when something of them is first asked for."""

import importlib.util
import sys
from types import ModuleType


def lazily(name: str) -> ModuleType:
    """The module, of which nothing has been run yet unless somebody else has imported it."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
