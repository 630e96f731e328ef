"""Modules that are loaded when something of them is first asked for."""

import subprocess
import sys

import pytest

from blocks.lazily import lazily

LOOK = """
import sys
import flows.install
from blocks.domain import sequential
print("scipy.special" in sys.modules, "numpy.linalg" in sys.modules)
sequential.compare([(sequential.Count(9, 9), sequential.Count(9, 8))], 0.05)
print("scipy.special" in sys.modules, "numpy.linalg" in sys.modules)
"""


def test_a_run_loads_the_statistics_when_it_compares_something_and_not_before() -> None:
    told = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["False", "False", "True", "True"]


def test_what_is_loaded_already_is_the_same_module() -> None:
    assert lazily("sys") is sys


def test_what_is_not_there_is_missed_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match="no module that_is_not_there"):
        lazily("that_is_not_there")
