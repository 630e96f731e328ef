"""Whether a rollout fits is known before it begins: what runs stays up until what comes is ready."""

from decimal import Decimal
from typing import Any

import pytest

from blocks.domain.errors import DoesNotFit
from blocks.domain.fit import add, must_fit, must_obey, need_of_objects, need_of_pods, peak, say_amount, weigh
from blocks.domain.objects.blueprint import Object


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Object:
    status = {"status": {"used": used}} if used is not None else {}
    return {"kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": hard, **spec}} | status


def pod(cpu: str = "600m", memory: str = "1Gi") -> dict[str, Any]:
    return {"containers": [{"name": "plugin", "resources": {"requests": {"cpu": cpu, "memory": memory}}}, {"name": "beside"}]}


def test_the_need_of_pods_is_that_of_their_containers() -> None:
    assert need_of_pods(pod(), 3) == {"pods": 3, "requests.cpu": Decimal("1.8"), "requests.memory": 3 * 2**30}


def test_only_some_objects_are_counted() -> None:
    made: list[Object] = [{"kind": kind} for kind in ("Service", "ConfigMap", "Secret", "Service", "Role")]
    assert need_of_objects(made) == {"services": 2, "configmaps": 1, "secrets": 1}


def test_both_revisions_are_up_in_the_middle_of_an_update() -> None:
    (bound,) = weigh([quota({"requests.cpu": "2"}, {"requests.cpu": "600m"})], need_of_pods(pod(), 2), need_of_pods(pod(), 1))
    assert bound.shown() == {
        "quota": "quota",
        "resource": "requests.cpu",
        "hard": "2",
        "before": "600m",
        "during": "1800m",
        "after": "1200m",
    }
    must_fit([bound])


@pytest.mark.parametrize(
    ("hard", "used", "going", "said"),
    [
        pytest.param(
            {"requests.cpu": "1"},
            {"requests.cpu": "1"},
            1,
            "needs 600m CPU more during the rollout, until the revision before is gone (quota allows 1 CPU, 1 used)",
            id="only while both are up",
        ),
        pytest.param(
            {"cpu": "1"}, {"cpu": "1"}, 0, "needs 600m CPU more during the rollout and after it", id="another name for it"
        ),
        pytest.param(
            {"requests.cpu": "100m", "requests.memory": "1Gi"},
            {"requests.cpu": "0", "requests.memory": "512Mi"},
            0,
            "needs 500m CPU and 512Mi memory more",
            id="two things at once",
        ),
        pytest.param({"count/pods": "3"}, {"count/pods": "3"}, 0, "needs 1 pods more", id="a number of things"),
    ],
)
def test_what_is_lacking_is_said_in_numbers(hard: dict[str, str], used: dict[str, str], going: int, said: str) -> None:
    bounds = weigh([quota(hard, used)], need_of_pods(pod(), 1), need_of_pods(pod(), going))
    with pytest.raises(DoesNotFit) as told:
        must_fit(bounds)
    assert said in told.value.message
    assert told.value.hint


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(quota({"requests.cpu": "1"}), id="nothing has been counted yet"),
        pytest.param(
            quota({"persistentvolumeclaims": "0"}, {"persistentvolumeclaims": "5"}), id="what the rollout does not touch"
        ),
        pytest.param(quota({"requests.cpu": "0"}, {}, scopes=["BestEffort"]), id="a quota for other pods"),
        pytest.param(quota({"requests.cpu": "1e-3"}, {"requests.cpu": "0"}), id="a notation that is left to the server"),
    ],
)
def test_there_is_room_where_nothing_says_otherwise(found: Object) -> None:
    bounds = weigh([found], need_of_pods(pod(), 1), {})
    must_fit(bounds)
    assert all(one.lacking == 0 for one in bounds)


def test_what_others_use_too_much_of_does_not_hinder_what_adds_nothing() -> None:
    bounds = weigh([quota({"pods": "1"}, {"pods": "4"})], {"pods": Decimal(0)}, {"pods": Decimal(5)})
    must_fit(bounds)
    assert [one.after for one in bounds] == [0]


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        pytest.param([{"type": "Container", "max": {"cpu": "4"}}], False, id="more than one container may have"),
        pytest.param([{"type": "Container", "max": {"cpu": "5"}}], True, id="as much as one container may have"),
        pytest.param([{"type": "Container", "max": {"memory": "1Mi"}}], True, id="a limit on something else"),
        pytest.param([{"type": "Container"}, {"type": "Pod", "max": {"cpu": "1"}}], True, id="no limit on containers"),
    ],
)
def test_one_container_has_its_limit(limits: list[dict[str, Any]], *, fits: bool) -> None:
    spec = {"containers": [{"name": "plugin", "resources": {"limits": {"cpu": "5"}}}, {"name": "beside"}]}
    ranges: list[Object] = [{"spec": {"limits": limits}}]
    if fits:
        must_obey(spec, ranges)
        assert limits
    else:
        with pytest.raises(DoesNotFit, match="container plugin asks for 5 cpu, and one container may have 4"):
            must_obey(spec, ranges)


@pytest.mark.parametrize(
    ("resource", "value", "said"),
    [
        ("requests.cpu", "2", "2"),
        ("limits.cpu", "0.6", "600m"),
        ("cpu", "0.0001", "1m"),
        ("memory", "0", "0"),
        ("requests.memory", str(2**31), "2Gi"),
        ("limits.memory", str(2**20 + 1), "2Mi"),
        ("pods", "3", "3"),
    ],
)
def test_amounts_are_said_as_people_write_them(resource: str, value: str, said: str) -> None:
    assert say_amount(resource, Decimal(value)) == said


def test_what_comes_in_waves_needs_only_what_is_more_at_the_worst_moment() -> None:
    """Here a pod more while the first of two smaller ones stays, and in the end what the bigger two have more."""
    sizes = [(0, 2), (1, 2), (1, 1), (2, 1), (2, 0)]
    coming, going = peak([add(need_of_pods(pod("1"), new), need_of_pods(pod("400m"), old)) for new, old in sizes])
    assert (coming["pods"], going["pods"]) == (Decimal(1), Decimal(1))
    assert (coming["requests.cpu"], going["requests.cpu"]) == (Decimal("1.6"), Decimal("0.4"))


def test_needs_add_up() -> None:
    assert add({"pods": Decimal(1)}, {"pods": Decimal(2), "services": Decimal(1)}) == {"pods": 3, "services": 1}
