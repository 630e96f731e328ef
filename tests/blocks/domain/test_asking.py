"""What a request leads to depends on how the installation stands."""

from dataclasses import replace
from uuid import UUID

import pytest

from blocks.domain.asking import AlreadyInstalled, Busy, NotInstalled, Standing, answer_install, answer_uninstall
from blocks.domain.errors import Terminal

ACTIVE, SERVED = UUID(int=1), UUID(int=2)
NEW = Standing(
    None, frozen=False, active_verb="", active_request="", revision=0, serving_operation=None, serving_request="", last_revision=0
)
SERVES = replace(NEW, revision=1, serving_operation=SERVED, serving_request="body", last_revision=1)
INSTALLING = replace(NEW, active=ACTIVE, active_verb="install", active_request="body")
REMOVING = replace(SERVES, active=ACTIVE, active_verb="uninstall-with-data")


@pytest.mark.parametrize(
    ("standing", "answer"),
    [
        pytest.param(NEW, None, id="nothing yet: a new operation"),
        pytest.param(INSTALLING, ACTIVE, id="the same request on its way is that operation"),
        pytest.param(SERVES, SERVED, id="the same request that serves changes nothing"),
        pytest.param(replace(INSTALLING, active_request="other"), Busy, id="another request on its way: busy"),
        pytest.param(REMOVING, Busy, id="an uninstall on its way: busy"),
        pytest.param(replace(SERVES, serving_request="other"), AlreadyInstalled, id="something else serves: refused"),
    ],
)
def test_install(standing: Standing, answer: UUID | type[Terminal] | None) -> None:
    """A new operation, an earlier one, or a no."""
    if isinstance(answer, type):
        with pytest.raises(answer):
            answer_install(standing, "body")
    else:
        assert answer_install(standing, "body") == answer


@pytest.mark.parametrize(
    ("standing", "answer"),
    [
        pytest.param(SERVES, None, id="what serves can be taken away"),
        pytest.param(REMOVING, ACTIVE, id="an uninstall on its way is that operation"),
        pytest.param(INSTALLING, Busy, id="an install on its way: busy"),
        pytest.param(replace(INSTALLING, frozen=True), None, id="a frozen operation can be taken away"),
        pytest.param(NEW, NotInstalled, id="nothing serves: refused"),
    ],
)
def test_uninstall(standing: Standing, answer: UUID | type[Terminal] | None) -> None:
    """A new operation, an earlier one, or a no."""
    if isinstance(answer, type):
        with pytest.raises(answer):
            answer_uninstall(standing)
    else:
        assert answer_uninstall(standing) == answer
