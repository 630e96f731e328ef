"""Who may answer for a finding, until when, and what a verdict makes of it."""

from dataclasses import replace
from uuid import UUID

import pytest

from blocks.domain.errors import GateRefused, NotAllowed
from blocks.domain.findings import Kind
from blocks.domain.verdict import reach_verdict
from blocks.domain.waivers import DAY_MS, LONGEST_MS, Waived, Waiver, Waiving, longest, may_waive
from blocks.domain.watch import Spot
from tests.blocks.domain.scans import make_finding, make_report, make_secret

NOW = 1_700_000_000_000
WHAT = Waiving(make_finding().identity, "team-search", NOW + DAY_MS)
WAIVER = Waiver(UUID(int=1), Spot("default", "prod", "p"), WHAT, "sue", "it is never called", NOW)


@pytest.mark.parametrize(
    ("expires_at", "told"), [(NOW, "run out"), (NOW - 1, "run out"), (NOW + LONGEST_MS + 1, "longer than a year")]
)
def test_a_waiver_ends_later_than_now_and_within_a_year(expires_at: int, told: str) -> None:
    for just_right in (NOW + 1, NOW + LONGEST_MS):
        may_waive(replace(WHAT, expires_at=just_right), NOW)
    with pytest.raises(NotAllowed, match=told):
        may_waive(replace(WHAT, expires_at=expires_at), NOW)


@pytest.mark.parametrize(
    ("waiver", "now", "counts"),
    [
        (WAIVER, NOW, True),
        (WAIVER, NOW + DAY_MS - 1, True),
        (WAIVER, NOW + DAY_MS, False),
        (replace(WAIVER, revoked_at=NOW + 1), NOW + 2, False),
    ],
)
def test_it_counts_until_it_expires_or_is_revoked(waiver: Waiver, now: int, counts: bool) -> None:  # noqa: FBT001
    assert waiver.stands(now) is counts


def test_of_several_the_one_that_stands_longest_is_named() -> None:
    later = replace(WAIVER.used, owner="team-core", expires_at=NOW + 2 * DAY_MS)
    assert longest([later, WAIVER.used]) == {WHAT.finding: later}


def test_a_waived_finding_passes_its_gate_and_the_verdict_names_who_answers_for_it() -> None:
    report = make_report(make_finding())
    with pytest.raises(GateRefused):
        reach_verdict(report, "prod")
    verdict = reach_verdict(report, "prod", [WAIVER.used])
    assert verdict.waived == (Waived(WHAT.finding, "team-search", "it is never called", NOW + DAY_MS),)
    assert [*verdict.told()["waived"]] == [vars(WAIVER.used)]
    assert sum(one.number for one in verdict.counts) == 1


def test_what_nothing_objects_to_needs_no_waiver_and_the_plan_says_nothing_of_it() -> None:
    verdict = reach_verdict(make_report(), "prod", [WAIVER.used])
    assert verdict.waived == ()
    assert "waived" not in verdict.told()


def test_every_other_objection_stands() -> None:
    with pytest.raises(GateRefused) as refused:
        reach_verdict(make_report(make_finding(), make_secret()), "prod", [WAIVER.used])
    (left,) = refused.value.objections
    assert make_secret().identity in left


def test_what_nobody_looked_for_cannot_be_waived() -> None:
    blind = make_report()
    blind = replace(blind, reports=tuple(replace(one, assessed=(Kind.SECRET,)) for one in blind.reports))
    for finding in ("", "vulnerability", WHAT.finding):
        with pytest.raises(GateRefused):
            reach_verdict(blind, "prod", [replace(WAIVER.used, finding=finding)])
