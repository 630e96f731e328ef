"""What checks, one after the other, say of what serves, and what is done about it."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blocks.domain.health import (
    OLD,
    OVERDUE_MS,
    Check,
    Condition,
    HealthTerms,
    Place,
    Policy,
    Remedy,
    Status,
    choose_remedy,
    find_place,
    judge_answer,
    judge_silence,
    read_remedy,
)
from blocks.domain.plan import describe_revision
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.blocks.domain.plans import VERDICT
from tests.builders import make_request

ANSWERS = {"+": True, "-": False, "?": None}
UNKNOWN, HEALTHY, UNHEALTHY = Status.UNKNOWN, Status.HEALTHY, Status.UNHEALTHY
NOTHING, RESTART, ROLLBACK = Remedy
POLICIES: tuple[Policy, ...] = ("report", "restart", "rollback")


def make_terms(policy: Policy = "report", failures: int = 3) -> HealthTerms:
    """Terms in which so many failures in a row lead to this."""
    return HealthTerms(policy=policy, failures=failures)


def make_checks(answers: str) -> list[Check]:
    """A check a second: + for a good answer, - for a bad one, ? for none that says anything."""
    return [Check(at * 1000, ANSWERS[one], f"answer {at}") for at, one in enumerate(answers, 1)]


def see(answers: str, terms: HealthTerms | None = None) -> Condition:
    """The condition after these checks."""
    seen = Condition()
    for check in make_checks(answers):
        seen = seen.after(check, terms or make_terms())
    return seen


def treat(checks: Sequence[Check], terms: HealthTerms) -> list[tuple[int, Remedy]]:
    """Every remedy, after how many checks, if each is tried at once."""
    seen, tried = Condition(), list[tuple[int, Remedy]]()
    for number, check in enumerate(checks, 1):
        seen = seen.after(check, terms)
        remedy = choose_remedy(seen, terms)
        if remedy is not NOTHING:
            tried.append((number, remedy))
            seen = seen.anew(remedy)
    return tried


@pytest.mark.parametrize(
    ("answers", "status", "failures", "since"),
    [
        pytest.param("", UNKNOWN, 0, 0, id="nobody has asked"),
        pytest.param("+", HEALTHY, 0, 1000, id="one good answer is health"),
        pytest.param("-", UNKNOWN, 1, 1000, id="one bad answer says neither"),
        pytest.param("+--", HEALTHY, 2, 1000, id="two bad answers are not three"),
        pytest.param("+---", UNHEALTHY, 3, 4000, id="three are"),
        pytest.param("+-----", UNHEALTHY, 5, 4000, id="it is unhealthy since the third"),
        pytest.param("+--+--", HEALTHY, 2, 1000, id="only in a row"),
        pytest.param("+---+", HEALTHY, 0, 5000, id="one good answer clears"),
        pytest.param("?", UNKNOWN, 0, 1000, id="not knowing is not a pass"),
        pytest.param("+?", UNKNOWN, 0, 2000, id="not knowing is known at once"),
        pytest.param("+????", UNKNOWN, 0, 2000, id="and never a failure"),
        pytest.param("+--?-", UNHEALTHY, 3, 5000, id="nor does it end a row"),
        pytest.param("+---?", UNKNOWN, 3, 5000, id="of what was unhealthy nothing is known either"),
    ],
)
def test_how_it_is(answers: str, status: Status, failures: int, since: int) -> None:
    seen = see(answers)
    assert (seen.status, seen.failures, seen.since) == (status, failures, since)


def test_the_last_answer_is_told() -> None:
    assert see("").said == "nobody has asked yet"
    seen = see("+-")
    assert (seen.said, seen.checked_at) == ("answer 2", 2000)


@pytest.mark.parametrize(
    ("policy", "answers", "tried"),
    [
        pytest.param("report", "+--------", [], id="who only wants to hear of it is told"),
        pytest.param("restart", "+--", [], id="too few are no reason"),
        pytest.param("restart", "+---", [(4, RESTART)], id="enough are"),
        pytest.param("restart", "+----------", [(4, RESTART)], id="what did not help is not tried again"),
        pytest.param("rollback", "+-----", [(4, RESTART)], id="the mildest first, and it gets its time"),
        pytest.param("rollback", "+------", [(4, RESTART), (7, ROLLBACK)], id="then the next"),
        pytest.param("rollback", "+------------", [(4, RESTART), (7, ROLLBACK)], id="and then nothing more"),
        pytest.param("rollback", "+---++---", [(4, RESTART), (9, ROLLBACK)], id="what falls ill again at once was not cured"),
        pytest.param("rollback", "+---+++---", [(4, RESTART), (10, RESTART)], id="what was well for as long has a new cause"),
        pytest.param("rollback", "+--?????", [], id="nothing is done where nothing is known"),
        pytest.param("restart", "+--?-", [(5, RESTART)], id="but a row goes on"),
    ],
)
def test_what_is_done(policy: Policy, answers: str, tried: list[tuple[int, Remedy]]) -> None:
    assert treat(make_checks(answers), make_terms(policy)) == tried


def test_what_went_back_to_something_that_is_ill_too_is_left() -> None:
    """Also where the revision that it went back to would have been restarted."""
    terms = make_terms("restart")
    seen = see("---", terms).anew(ROLLBACK, "rollback by operation 1")
    for check in make_checks("---"):
        seen = seen.after(check, terms)
    assert (seen.status, choose_remedy(seen, terms), seen.note) == (UNHEALTHY, NOTHING, "rollback by operation 1")


def test_an_operation_of_somebody_else_is_a_new_cause() -> None:
    seen = see("---").anew(RESTART, "restarted").anew()
    assert (seen.failures, seen.tried, seen.note, seen.status) == (0, NOTHING, "", UNHEALTHY)


@pytest.mark.parametrize(
    ("actor", "verb", "remedy"),
    [
        pytest.param("keeper", "reload", RESTART, id="the keeper's reload is a restart"),
        pytest.param("keeper", "rollback", ROLLBACK, id="its rollback is one"),
        pytest.param("ann", "reload", NOTHING, id="a person's reload is none"),
        pytest.param("keeper", "update", NOTHING, id="nor is anything else"),
    ],
)
def test_an_operation_says_what_was_tried(actor: str, verb: str, remedy: Remedy) -> None:
    assert read_remedy(actor, verb) is remedy


def test_an_old_answer_is_none() -> None:
    seen, due = see("+"), 31_000
    assert seen.known(due + OVERDUE_MS, due) == seen
    old = seen.known(due + OVERDUE_MS + 1, due)
    assert (old.status, old.since, old.said, old.checked_at) == (UNKNOWN, due, OLD, 1000)


@pytest.mark.parametrize(
    ("status", "good"),
    [(199, False), (200, True), (204, True), (302, True), (399, True), (400, False), (404, False), (503, False)],
)
def test_an_answer_is_good_as_kubernetes_has_it(status: int, *, good: bool) -> None:
    assert judge_answer(7, "/ready", status) == Check(7, good, f"/ready answered {status}")


def test_silence_is_the_plugins_fault_only_where_the_gateway_answers_others() -> None:
    assert judge_silence(7, "/ready", 5, gateway_answers=True) == Check(7, good=False, said="/ready gave no answer within 5 s")
    assert judge_silence(7, "/ready", 5, gateway_answers=False).found is UNKNOWN


BESIDE = {"readiness": {"path": "/up", "port": 9000}}
PORTS = {"ports": [{"name": "http", "port": 8080}]}


@pytest.mark.parametrize(
    ("plugin", "path", "place"),
    [
        pytest.param({}, None, "/ready", id="where it says whether it is ready"),
        pytest.param({}, "/well", "/well", id="or where the request says"),
        pytest.param({"healthChecks": BESIDE, "networking": PORTS}, None, "/release", id="never a port that no user reaches"),
        pytest.param(
            {"healthChecks": {"readiness": {"path": "/up", "port": 8080}}, "networking": PORTS}, None, "/up", id="but its own"
        ),
    ],
)
def test_where_it_is_asked(plugin: dict[str, Any], path: str | None, place: str) -> None:
    hashed = describe_revision(make_blueprint(plugin=plugin), "lock", VERDICT)
    assert find_place(hashed, HealthTerms(path=path)) == Place("backstage-plugin-catalog.default-dev.localhost", place)


@pytest.mark.parametrize(
    "said", [{"interval": 0}, {"timeout": 11}, {"failures": 0}, {"path": "no path"}, {"policy": "reboot"}, {"intervall": 30}]
)
def test_terms_that_make_no_sense_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HealthTerms.model_validate(said)


def test_a_request_that_says_nothing_of_health_is_recorded_as_before() -> None:
    """So a plan keeps its hash; what it means is the terms' own defaults."""
    asked = make_request()
    assert "health" not in asked.model_dump(mode="json", by_alias=True)
    assert asked.health_terms == HealthTerms(interval=30, timeout=5, failures=3, path=None, policy="report")
    assert make_request(health={"failures": 2}).health_terms.failures == 2


answers = st.text(alphabet="+-?", max_size=40)


@given(answers, st.sampled_from(POLICIES), st.integers(1, 4))
def test_no_remedy_comes_twice_before_as_many_good_answers_in_a_row(said: str, policy: Policy, failures: int) -> None:
    """And none without as many bad ones since the remedy before."""
    checks, terms = make_checks(said), make_terms(policy, failures)
    before = 0
    since: set[Remedy] = set()
    for number, remedy in treat(checks, terms):
        between = said[before:number].replace("?", "")
        assert between.endswith("-" * failures)
        if "+" * failures in between:
            since = set()
        assert remedy not in since
        since.add(remedy)
        before = number


@given(answers)
def test_what_is_not_known_changes_no_count(said: str) -> None:
    seen, same = see(said), see(said.replace("?", ""))
    assert (seen.failures, seen.successes, seen.tried) == (same.failures, same.successes, same.tried)
