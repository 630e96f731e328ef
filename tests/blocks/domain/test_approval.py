"""One approval is for one plan, from people who may, in time, and never from whoever asked."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from blocks.domain.approval import Approval, Ballot, Question, Speaker, approval_of, weigh
from blocks.domain.errors import AlreadyVoted, NotAllowed, PipelineError, TooLate, WrongPlan

QUESTION = Question("sha256:1", "ann", 1, ("admin", "approver"), 1000)
BOB = Speaker("bob", frozenset({"approver"}))
YES = Ballot(BOB, "sha256:1", 999)


@pytest.mark.parametrize(
    ("change", "voted", "ballot", "refusal"),
    [
        pytest.param({}, {}, replace(YES, at=1000), TooLate, id="when the time is over"),
        pytest.param({}, {}, replace(YES, hash="sha256:2"), WrongPlan, id="another plan"),
        pytest.param({"requester": "bob"}, {}, YES, NotAllowed, id="a plan of one's own"),
        pytest.param({"roles": ("admin",)}, {}, YES, NotAllowed, id="without the role"),
        pytest.param({}, {}, replace(YES, speaker=Speaker("bob", frozenset())), NotAllowed, id="without any role"),
        pytest.param({"quorum": 2}, {"bob": ""}, YES, AlreadyVoted, id="twice"),
    ],
)
def test_does_not_count(change: dict[str, object], voted: dict[str, str], ballot: Ballot, refusal: type[PipelineError]) -> None:
    """And says why."""
    with pytest.raises(refusal):
        weigh(replace(QUESTION, **change), voted, ballot)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quorum", "voted", "approval"),
    [
        pytest.param(1, {}, Approval("sha256:1", ("bob",)), id="one is enough where one is asked for"),
        pytest.param(2, {}, None, id="the first of two is not"),
        pytest.param(2, {"cid": ""}, Approval("sha256:1", ("cid", "bob")), id="the second of two is"),
    ],
)
def test_quorum(quorum: int, voted: dict[str, str], approval: Approval | None) -> None:
    """All who agreed are named, in the order in which they did."""
    assert weigh(replace(QUESTION, quorum=quorum), voted, YES) == approval


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
@pytest.mark.parametrize("verb", ["install", "update", "uninstall", "rollback", "enable", "disable", "reload", "plan"])
def test_people_are_asked_in_prod(environment: str, verb: str) -> None:
    """Before what is new comes or what is there goes; never on the way back to what was good."""
    asked = verb in ("install", "update", "uninstall")
    assert (approval_of(environment, verb) is not None) is (asked and environment == "prod")
    assert (approval_of(environment, verb, wanted=True) is not None) is asked


def test_question_is_made_from_the_policy_and_survives_being_written() -> None:
    """As canonical JSON."""
    policy = approval_of("prod", "install")
    assert policy is not None
    question = Question.about("sha256:1", "ann", policy, 5)
    assert question == Question("sha256:1", "ann", 1, ("admin", "approver"), 24 * 3600 * 1000 + 5)
    assert Question.read(question.write()) == question


@pytest.mark.parametrize("field", ["hash", "requester", "quorum", "roles", "expires_at"])
def test_every_part_of_the_question_is_written(field: str) -> None:
    """Two questions that differ anywhere are two texts."""
    other: dict[str, Callable[[], object]] = {
        "hash": lambda: "sha256:2",
        "requester": lambda: "eve",
        "quorum": lambda: 2,
        "roles": lambda: ("admin",),
        "expires_at": lambda: 1,
    }
    assert replace(QUESTION, **{field: other[field]()}).write() != QUESTION.write()  # type: ignore[arg-type]
