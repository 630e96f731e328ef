"""Pods come and go in waves: never more and never fewer than the limits allow, and always to the end."""

from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from blocks.domain.agreed import agree_on
from blocks.domain.manifest import InstallRequest
from blocks.domain.replaced import Replaced
from blocks.domain.waves import Bounds, Limits, Sizes, bound, every_wave, has_left, limit, limits_of, next_sizes, weigh_ready
from tests.blocks.domain.plans import make_replaced, make_revision
from tests.builders import make_request

PODS = some.integers(1, 20)
# Far more than any of these takes.
MOST_WAVES = 100


def asked(replicas: int, **said: Any) -> InstallRequest:
    return make_request(replicas=replicas, strategyConfig=said)


@pytest.mark.parametrize(
    ("replicas", "said", "limits"),
    [
        pytest.param(4, {"maxSurge": 1}, Limits(1, 0), id="a number, and nobody unavailable by default"),
        pytest.param(4, {"maxUnavailable": 1}, Limits(4, 1), id="all at once by default"),
        pytest.param(5, {"maxSurge": "25%", "maxUnavailable": "25%"}, Limits(2, 1), id="surge rounds up, unavailable down"),
        pytest.param(4, {"maxSurge": "25%", "maxUnavailable": "25%"}, Limits(1, 1), id="an exact part"),
        pytest.param(4, {"maxSurge": 0, "maxUnavailable": "10%"}, Limits(0, 1), id="not both to nothing"),
        pytest.param(4, {"maxSurge": "0%", "maxUnavailable": 2}, Limits(0, 2), id="no surge"),
    ],
)
def test_limits_are_read_as_kubernetes_does(replicas: int, said: dict[str, Any], limits: Limits) -> None:
    assert limit(asked(replicas, **said)) == limits


@pytest.mark.parametrize(
    ("verb", "replaced", "said", "limits"),
    [
        pytest.param("update", make_replaced(), {"strategyConfig": {"maxSurge": 1}}, Limits(1, 0), id="an update that says some"),
        pytest.param("update", make_replaced(), {}, None, id="no update that says none"),
        pytest.param("update", make_replaced(), {"strategy": "canary"}, None, id="no other strategy"),
        pytest.param("install", Replaced(), {"strategyConfig": {"maxSurge": 1}}, None, id="nothing that replaces nothing"),
        pytest.param("rollback", make_replaced(), {"strategyConfig": {"maxSurge": 1}}, Limits(1, 0), id="a way back, too"),
    ],
)
def test_there_are_limits_for(verb: str, replaced: Replaced, said: dict[str, Any], limits: Limits | None) -> None:
    hashed = agree_on(make_revision(revision=replaced.number + 1, replicas=2, **said), replaced, verb, ())
    assert limits_of(hashed) == limits


def test_limits_are_told_in_a_sentence() -> None:
    assert Limits(1, 0).sentence == "surge 1, unavailable 0"


@pytest.mark.parametrize(
    ("limits", "had", "wanted", "sizes"),
    [
        pytest.param(Limits(1, 0), 2, 2, [(1, 2), (1, 1), (2, 1), (2, 0)], id="one by one"),
        pytest.param(Limits(0, 1), 2, 2, [(0, 1), (1, 1), (1, 0), (2, 0)], id="one by one without a surge"),
        pytest.param(Limits(4, 0), 4, 4, [(4, 4), (4, 0)], id="all at once"),
        pytest.param(Limits(1, 0), 1, 3, [(3, 1), (3, 0)], id="growing"),
        pytest.param(Limits(1, 0), 3, 1, [(1, 3), (1, 0)], id="shrinking"),
    ],
)
def test_the_waves_are(limits: Limits, had: int, wanted: int, sizes: list[tuple[int, int]]) -> None:
    waves = every_wave(Sizes(0, had), bound(limits, had, wanted))
    assert [(one.coming, one.going) for one in waves] == sizes


@given(had=PODS, wanted=PODS, surge=some.integers(0, 20), unavailable=some.integers(0, 20))
def test_never_over_never_under_and_always_to_the_end(had: int, wanted: int, surge: int, unavailable: int) -> None:
    assume((surge, unavailable) != (0, 0))
    # One pod alone without a surge is refused with the request.
    assume(surge or (had, wanted) != (1, 1))
    sizes = [Sizes(0, had), *islice(every_wave(Sizes(0, had), bound(Limits(surge, unavailable), had, wanted)), MOST_WAVES)]
    # What comes in a wave is not ready before the next: only the pods that were there before it count.
    ready = [before.coming + after.going for before, after in pairwise(sizes)]
    assert max(one.coming + one.going for one in sizes) <= max(had, wanted) + surge
    assert min(ready) >= max(1, min(had, wanted) - unavailable)
    assert sizes[-1] == Sizes(wanted, 0)


@given(had=PODS, wanted=PODS, coming=some.integers(0, 30), going=some.integers(0, 30), surge=PODS)
def test_from_wherever_it_was_left_it_comes_to_the_end(had: int, wanted: int, coming: int, going: int, surge: int) -> None:
    """Or was brought by somebody else; who has more of what comes than is wanted keeps them."""
    sizes = [*islice(every_wave(Sizes(coming, going), bound(Limits(surge, 0), had, wanted)), MOST_WAVES)]
    last = sizes[-1] if sizes else Sizes(coming, going)
    assert last == Sizes(max(coming, wanted), 0)


def test_nothing_is_left_to_do_at_the_end() -> None:
    assert next_sizes(Sizes(2, 0), Bounds(2, 3, 2)) is None


@pytest.mark.parametrize(
    ("coming", "going", "percent"),
    [
        pytest.param(0, 4, 0, id="none without a pod"),
        pytest.param(4, 0, 100, id="all where the other has none"),
        pytest.param(0, 0, 0, id="none where nobody has any"),
        pytest.param(1, 3, 25, id="its part"),
        pytest.param(1, 2, 33, id="a whole percent"),
        pytest.param(1, 1000, 1, id="some as soon as there is one"),
        pytest.param(1000, 1, 99, id="not all while there is another"),
    ],
)
def test_requests_follow_the_ready_pods(coming: int, going: int, percent: int) -> None:
    assert weigh_ready(coming, going) == percent


@pytest.mark.parametrize(
    ("phases", "left"),
    [
        pytest.param([], True, id="nobody is there"),
        pytest.param(["Running"], True, id="as many as may stay"),
        pytest.param(["Running", "Pending"], False, id="one more"),
        pytest.param(["Running", "Failed", "Succeeded"], True, id="what has ended takes no room"),
    ],
)
def test_pods_have_left(phases: list[str], *, left: bool) -> None:
    assert has_left([{"status": {"phase": one}} for one in phases], 1) is left
