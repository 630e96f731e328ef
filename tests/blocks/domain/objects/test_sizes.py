"""How many pods a Deployment has, where an autoscaler decides and where nobody but us does."""

from typing import Any

import pytest

from blocks.domain.autoscaling import Range
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.sizes import awake, keep_size, most_of, range_in, refuse_moves
from blocks.domain.objects.workload import asleep, deployment, sized
from tests.blocks.domain.objects.blueprints import make_blueprint

FIXED = deployment(make_blueprint(replicas=3))
AUTOSCALED = deployment(make_blueprint(replicas=3, autoscaling={"minReplicas": 2, "maxReplicas": 6}))
SERVICE: Object = {"kind": "Service", "metadata": {"name": "it"}, "spec": {}}


def live(replicas: int | None) -> dict[str, Any]:
    """As it stands with so many pods; None where nobody has ever said how many."""
    return {"spec": {} if replicas is None else {"replicas": replicas}}


def test_a_deployment_says_between_how_many_it_is_scaled_and_not_how_many_it_has() -> None:
    assert (range_in(AUTOSCALED), "replicas" in AUTOSCALED["spec"]) == (Range(2, 6), False)
    assert (range_in(FIXED), FIXED["spec"]["replicas"]) == (None, 3)
    assert range_in(SERVICE) is None


@pytest.mark.parametrize(
    ("desired", "there", "kept"),
    [
        pytest.param(AUTOSCALED, live(5), 5, id="what the autoscaler chose"),
        pytest.param(AUTOSCALED, live(0), 0, id="asleep as it was"),
        pytest.param(AUTOSCALED, live(None), 1, id="one where nobody said"),
        pytest.param(asleep(AUTOSCALED), live(5), 0, id="not where it is told"),
        pytest.param(FIXED, live(5), 3, id="not where we decide"),
        pytest.param(SERVICE, {"spec": {"replicas": 5}}, None, id="of a Deployment alone"),
    ],
)
def test_what_is_written_takes_nobodys_number_back(desired: Object, there: dict[str, Any], kept: int | None) -> None:
    assert keep_size(desired, there)["spec"].get("replicas") == kept


@pytest.mark.parametrize(
    ("found", "had", "replicas"),
    [
        pytest.param(AUTOSCALED, 0, 2, id="at least the least"),
        pytest.param(AUTOSCALED, 5, 5, id="as many as there were"),
        pytest.param(AUTOSCALED, 9, 6, id="at most the most"),
        pytest.param(FIXED, 9, 3, id="as asked for"),
    ],
)
def test_what_wakes_has(found: Object, had: int, replicas: int) -> None:
    assert awake(found, had)["spec"]["replicas"] == replicas


@pytest.mark.parametrize(
    ("found", "most"),
    [
        pytest.param(sized(AUTOSCALED, 2), 6, id="all that it may be given"),
        pytest.param(asleep(AUTOSCALED), 0, id="none while it sleeps"),
        pytest.param(FIXED, 3, id="what it has"),
        pytest.param(None, 0, id="none where there is none"),
    ],
)
def test_at_most_it_has(found: Object | None, most: int) -> None:
    assert most_of(found) == most


@pytest.mark.parametrize("serving", [pytest.param([SERVICE, FIXED], id="of a fixed number"), pytest.param([], id="of nothing")])
def test_pods_go_a_few_at_a_time_where_nobody_brings_them_back(serving: list[Object]) -> None:
    refuse_moves(True, serving)
    refuse_moves(False, [*serving, AUTOSCALED])
    with pytest.raises(Refused, match="catalog-r1 is autoscaled"):
        refuse_moves(True, [*serving, AUTOSCALED])
