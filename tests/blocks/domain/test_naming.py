"""Names fit where Kubernetes, DNS and the registry want them, and different plugins never share one by being cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.naming import namespace, slug

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        pytest.param("@backstage/plugin-catalog", "backstage-plugin-catalog", id="scope and name"),
        pytest.param("hello_world.io", "hello-world-io", id="other characters become dashes"),
    ],
)
def test_slug(plugin: str, expected: str) -> None:
    """As people would shorten it."""
    assert slug(plugin) == expected


@given(st.from_regex(r"(@[a-z0-9][a-z0-9._-]{0,60}/)?[a-z0-9][a-z0-9._-]{0,120}", fullmatch=True))
def test_every_slug_is_a_label(plugin: str) -> None:
    """Of at most 40 characters, so that a revision's suffix still fits."""
    assert LABEL.fullmatch(slug(plugin))
    assert len(slug(plugin)) <= 40


def test_long_names_that_begin_alike_stay_apart() -> None:
    """By the hash of the whole name."""
    assert slug("a" * 60) != slug("a" * 61)


def test_namespace_names_tenant_and_environment() -> None:
    """In this order."""
    assert namespace("team-a", "dev") == "team-a-dev"
