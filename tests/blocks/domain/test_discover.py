"""Which releases are new, which of them may be asked for, and what is said about the others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantic_version import NpmSpec, Version

from blocks.domain.discover import ACTOR, MOST, NOTHING_SERVES, Finding, Known, Tried, Wanted, discover
from blocks.domain.resolution import Listing, Published
from blocks.domain.watch import Action, Done, Terms

OPERATION = UUID(int=7)
UPDATE = Terms(action=Action.UPDATE)


def listing(*versions: str, integrity: str = "sha512-A", deprecated: str = "") -> Listing:
    """What a registry lists."""
    return Listing("@a/b", tuple(Published(one, integrity, "x", deprecated) for one in versions))


def tried(version: str, verb: str = "update", actor: str = ACTOR, **said: Any) -> Tried:
    """An operation that was to bring the version."""
    return Tried(OPERATION, verb, actor, version, **{"asked_at": 10, **said})


def told(findings: tuple[Finding, ...]) -> Mapping[str, str]:
    """What was done, by version."""
    return {one.version: one.done.value for one in findings}


@pytest.mark.parametrize(
    ("terms", "versions", "found"),
    [
        pytest.param(Terms(), ("1.0.0", "1.10.0", "1.9.0"), "1.10.0", id="the newest by number"),
        pytest.param(Terms(version="^1"), ("1.4.0", "2.0.0"), "1.4.0", id="only in the range"),
        pytest.param(Terms(version="^3"), ("1.4.0", "2.0.0"), "", id="nothing, if nothing is in the range"),
        pytest.param(Terms(), ("1.4.0", "2.0.0-rc.1"), "1.4.0", id="no prerelease by itself"),
        pytest.param(Terms(prereleases=True), ("1.4.0", "2.0.0-rc.1"), "2.0.0-rc.1", id="a prerelease if they are asked for"),
        pytest.param(
            Terms(version=">=2.0.0-rc.0"), ("1.4.0", "2.0.0-rc.1"), "2.0.0-rc.1", id="a prerelease that the range names"
        ),
        pytest.param(
            Terms(version="<2", prereleases=True), ("1.4.0", "2.0.0-rc.1"), "1.4.0", id="no prerelease of what is outside"
        ),
        pytest.param(Terms(version="<2"), ("1.4.0", "2.0.0-rc.1"), "1.4.0", id="nor one that the range ends before"),
        pytest.param(Terms(version="2.0.0-rc.1"), ("1.4.0", "2.0.0-rc.1"), "2.0.0-rc.1", id="the very prerelease that is named"),
        pytest.param(Terms(), ("1.4.0", "trunk"), "1.4.0", id="nothing that is no version"),
    ],
)
def test_what_counts_is(terms: Terms, versions: tuple[str, ...], found: str) -> None:
    assert discover(terms, listing(*versions), Known()).found == found


@pytest.mark.parametrize(
    "facts", [pytest.param({"deprecated": "broken"}, id="deprecated"), pytest.param({"integrity": ""}, id="without a checksum")]
)
def test_a_release_does_not_count_that_is(facts: dict[str, str]) -> None:
    assert discover(UPDATE, listing("2.0.0", **facts), Known("1.0.0")).findings == ()


@pytest.mark.parametrize(
    ("known", "recorded"),
    [
        pytest.param(Known(), {"3.0.0"}, id="at the first look the newest alone"),
        pytest.param(Known(seen={"1.0.0": Done.RECORDED}), {"2.0.0", "3.0.0"}, id="then what came since"),
        pytest.param(Known(seen={"3.0.0": Done.RECORDED}), set(), id="nothing twice"),
        pytest.param(Known("1.0.0", seen={"3.0.0": Done.RECORDED}), {"2.0.0"}, id="nothing twice while an old one serves"),
        pytest.param(Known("2.0.0"), {"3.0.0"}, id="what is above the one that serves"),
        pytest.param(Known("3.0.0"), set(), id="nothing while the newest serves"),
        pytest.param(Known("trunk"), {"3.0.0"}, id="the newest alone where what serves has no number"),
    ],
)
def test_only_saying_so_records(known: Known, recorded: set[str]) -> None:
    sight = discover(Terms(), listing("1.0.0", "2.0.0", "3.0.0"), known)
    assert (told(sight.findings), sight.wanted) == (dict.fromkeys(recorded, "recorded"), None)


REFUSED = "ann refused it: too large"
CASES = [
    pytest.param(Known("1.0.0"), {"3.0.0": "waiting", "2.0.0": "passed-over"}, Wanted("3.0.0"), id="the newest is asked for"),
    pytest.param(Known("2.0.0"), {"3.0.0": "waiting"}, Wanted("3.0.0"), id="only above what serves"),
    pytest.param(Known("3.0.0"), {}, None, id="nothing while the newest serves"),
    pytest.param(
        Known("1.0.0", quarantined={"3.0.0": "slow"}),
        {"3.0.0": "quarantined", "2.0.0": "waiting"},
        Wanted("2.0.0"),
        id="what was rolled back is not, and what nobody had yet is",
    ),
    pytest.param(
        Known("1.0.0", quarantined={"3.0.0": "slow"}, seen={"3.0.0": Done.UPDATE_REQUESTED, "2.0.0": Done.PASSED_OVER}),
        {"3.0.0": "quarantined", "2.0.0": "passed-over"},
        None,
        id="what was passed over is not gone back to",
    ),
    pytest.param(
        Known("2.0.0", tried=(tried("3.0.0"),)),
        {"3.0.0": "update-requested"},
        None,
        id="what was asked for is not asked for again",
    ),
    pytest.param(
        Known("1.0.0", tried=(tried("2.0.0"),)),
        {"3.0.0": "waiting", "2.0.0": "passed-over"},
        Wanted("3.0.0"),
        id="a newer one is, though an older one was",
    ),
    pytest.param(
        Known("2.0.0", tried=(tried("3.0.0", actor="bob", code="rollout-failed"),)),
        {"3.0.0": "waiting"},
        Wanted("3.0.0"),
        id="what failed for somebody else is tried",
    ),
    pytest.param(
        Known("2.0.0", tried=(tried("3.0.0", verb="plan"),)), {"3.0.0": "waiting"}, Wanted("3.0.0"), id="what was only planned is"
    ),
    pytest.param(
        Known("2.0.0", tried=(tried("3.0.0"),), lifted={"3.0.0": 11}),
        {"3.0.0": "waiting"},
        Wanted("3.0.0", 11),
        id="what was let out of its quarantine since is, once more",
    ),
    pytest.param(
        Known("2.0.0", tried=(tried("3.0.0"),), lifted={"3.0.0": 9}),
        {"3.0.0": "update-requested"},
        None,
        id="and not again after that",
    ),
    pytest.param(
        Known("2.0.0", seen={"3.0.0": Done.WAITING}), {"3.0.0": "waiting"}, Wanted("3.0.0"), id="what waited is asked for"
    ),
    pytest.param(
        Known("2.0.0", seen={"3.0.0": Done.RECORDED}), {"3.0.0": "waiting"}, Wanted("3.0.0"), id="what was only recorded is"
    ),
    *(
        pytest.param(
            Known("2.0.0", tried=(tried("3.0.0", actor=actor, verb=verb, code=code, message=REFUSED),)),
            {"3.0.0": "refused"},
            None,
            id=f"a {verb} by {actor} that ended {code} is the end of it",
        )
        for actor, verb, code in (
            (ACTOR, "update", "not-approved"),
            (ACTOR, "update", "cancelled"),
            ("bob", "update", "cancelled"),
            ("bob", "plan", "gate-refused"),
        )
    ),
    pytest.param(Known(), {"3.0.0": "waiting"}, None, id="nothing is where nothing serves"),
]


@pytest.mark.parametrize(("known", "done", "wanted"), CASES)
def test_where_updates_are_wanted(known: Known, done: dict[str, str], wanted: Wanted | None) -> None:
    sight = discover(UPDATE, listing("1.0.0", "2.0.0", "3.0.0"), known)
    assert (told(sight.findings), sight.wanted) == (done, wanted)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        pytest.param(Known("2.0.0", quarantined={"3.0.0": "slow"}), "it was rolled back here: slow", id="in quarantine"),
        pytest.param(Known("2.0.0", tried=(tried("3.0.0", code="cancelled", message=REFUSED),)), REFUSED, id="refused"),
        pytest.param(Known("2.0.0", tried=(tried("3.0.0", code="build-failed", message="no"),)), "no", id="asked for and failed"),
        pytest.param(Known(), NOTHING_SERVES, id="for nothing"),
    ],
)
def test_the_record_says_why(known: Known, why: str) -> None:
    (finding,) = discover(UPDATE, listing("3.0.0"), known).findings
    assert finding.why == why


def test_a_plan_is_asked_for_once_as_an_update_is() -> None:
    terms = Terms(action=Action.PLAN)
    assert discover(terms, listing("2.0.0"), Known("1.0.0", tried=(tried("2.0.0"),))).wanted == Wanted("2.0.0")
    planned = discover(terms, listing("2.0.0"), Known("1.0.0", tried=(tried("2.0.0", verb="plan"),)))
    assert (told(planned.findings), planned.wanted) == ({"2.0.0": "plan-requested"}, None)


def test_of_very_many_releases_the_newest_are_looked_at() -> None:
    versions = [f"1.{number}.0" for number in range(1, MOST + 10)]
    findings = discover(Terms(), listing(*versions), Known("1.0.0")).findings
    assert [one.version for one in findings] == versions[::-1][:MOST]


VERSIONS = st.sampled_from([f"{a}.{b}.0{pre}" for a in (1, 2) for b in range(3) for pre in ("", "-rc.1")])
SOME = st.lists(VERSIONS, unique=True)
RANGES = st.sampled_from(["*", "^1", "<2", "2.x"])
CODES = st.sampled_from(["", "cancelled", "not-approved", "gate-refused", "rollout-failed"])
TRIES = st.lists(st.builds(tried, VERSIONS, st.sampled_from(["update", "plan"]), st.sampled_from([ACTOR, "ann"]), code=CODES))


@given(
    terms=st.builds(Terms, action=st.sampled_from(Action), version=RANGES, prereleases=st.booleans()),
    versions=SOME,
    serving=VERSIONS,
    around=st.tuples(SOME, TRIES, st.dictionaries(VERSIONS, st.sampled_from(Done))),
)
def test_what_is_wanted_always_is_above_what_serves_in_the_range_and_nobody_said_no(
    terms: Terms, versions: list[str], serving: str, around: tuple[list[str], list[Tried], dict[str, Done]]
) -> None:
    bad, tries, seen = around
    known = Known(serving, dict.fromkeys(bad, "slow"), {}, tuple(tries), seen)
    sight = discover(terms, listing(*versions), known)
    assert [Version(one.version) for one in sight.findings] == sorted(
        (Version(one.version) for one in sight.findings), reverse=True
    )
    if sight.wanted is None:
        return
    wanted = Version(sight.wanted.version)
    assert terms.action is not Action.RECORD
    assert str(wanted) in versions
    assert wanted > Version(serving)
    assert wanted.truncate() in NpmSpec(terms.version)
    assert terms.prereleases or not wanted.prerelease
    assert str(wanted) not in bad
    assert not [one for one in tries if one.version == str(wanted) and one.code in ("cancelled", "not-approved", "gate-refused")]
    assert not [one for one in tries if (one.version, one.actor, one.verb) == (str(wanted), ACTOR, terms.action.value)]
