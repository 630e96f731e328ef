"""What changes from one lock to another, and which of it are plugins."""

import json

import pytest

from blocks.domain.packages import Moved, compare_packages, is_plugin, read_lock

LOCK = """lockfileVersion: '9.0'

importers:
  .:
    dependencies:
      '@backstage/plugin-catalog':
        specifier: 2.0.8

packages:

  '@backstage/plugin-catalog@2.0.8':
    resolution: {integrity: sha512-a}

  zod@3.25.0:
    resolution: {integrity: sha512-b}

  zod@4.0.0:
    resolution: {integrity: sha512-c}

  left-pad@1.3.0(react@18.0.0):
    resolution: {integrity: sha512-d}

snapshots:

  other@1.0.0: {}
"""


def test_a_lock_is_read_package_by_package() -> None:
    assert read_lock(json.dumps({"package.json": "{}", "pnpm-lock.yaml": LOCK})) == {
        "@backstage/plugin-catalog": "2.0.8",
        "left-pad": "1.3.0",
        "zod": "3.25.0, 4.0.0",
    }


@pytest.mark.parametrize("text", ["id: hello", "{}", ""], ids=["a service's manifest", "files without a lock", "nothing"])
def test_what_locks_no_packages_has_none(text: str) -> None:
    assert read_lock(text) == {}


def test_what_came_went_and_changed_is_told_by_name() -> None:
    assert compare_packages({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == (
        Moved("b", "1", "2"),
        Moved("c", "1", ""),
        Moved("d", "", "1"),
    )


@pytest.mark.parametrize(
    ("name", "plugin"),
    [
        ("@backstage/plugin-catalog", True),
        ("@roadiehq/backstage-plugin-github", True),
        ("plugin-hello", True),
        ("@backstage/core-plugin-api", False),
        ("@babel/plugin-transform", False),
        ("left-pad", False),
    ],
)
def test_a_plugin_is_known_by_its_name(name: str, *, plugin: bool) -> None:
    assert is_plugin(name) is plugin
