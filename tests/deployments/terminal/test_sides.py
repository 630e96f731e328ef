"""How it looks who answers people."""

import pytest

from deployments.api.shapes import InstallationShown, SideShown
from deployments.terminal.drawing import describe_changes, draw_installation
from deployments.terminal.sides import describe_sides
from tests.deployments.terminal.test_drawing import draw, make_shown

OLD = SideShown(revision=1, weight=75, ready=4, replicas=4)
NEW = SideShown(revision=2, weight=25, ready=1, replicas=2)


def seen_with(*sides: SideShown) -> InstallationShown:
    """An installation with these sides."""
    return make_shown().model_copy(update={"traffic": sides})


def test_each_side_has_a_bar_as_long_as_its_share() -> None:
    _, _, old, new, *_ = draw(draw_installation(seen_with(OLD, NEW)), terminal=True).splitlines()
    assert ("hello-r1" in old, "75 %" in old, "4 of 4 pods ready" in old) == (True, True, True)
    assert ("hello-r2" in new, "25 %" in new, "1 of 2 pods ready" in new) == (True, True, True)
    assert old.count("█") == 3 * new.count("█") > 0


@pytest.mark.parametrize(
    ("sides", "told"),
    [
        pytest.param((), "", id="nothing where nobody is"),
        pytest.param((OLD, NEW), "hello-r1 75 % with 4 of 4 pods ready, hello-r2 25 % with 1 of 2 pods ready", id="both"),
        pytest.param(
            (OLD.model_copy(update={"weight": None}),), "hello-r1 as its pods are with 4 of 4 pods ready", id="without a route"
        ),
    ],
)
def test_in_a_plain_line_it_says(sides: tuple[SideShown, ...], told: str) -> None:
    assert describe_sides(seen_with(*sides)) == told
    assert ("as its pods are" in draw(draw_installation(seen_with(*sides)))) == ("as its pods are" in told)


def test_it_is_told_again_when_it_changed_and_left_out_while_it_is_not_known() -> None:
    before, now = seen_with(OLD), seen_with(OLD, NEW)
    assert describe_changes(None, before) == ["traffic  hello-r1 75 % with 4 of 4 pods ready"]
    assert describe_changes(before, before) == []
    assert len(describe_changes(before, now)) == 1
    assert describe_changes(now, make_shown()) == []
