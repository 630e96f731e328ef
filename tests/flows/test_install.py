"""Installing: the order of the steps, and a failure at any of them leaves nothing. On both databases, with the world in memory."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Never
from uuid import UUID

import pytest

import blocks.work
from blocks.catalog.leases import Leases
from blocks.domain.errors import BuildFailed, IntegrityMismatch, Refused, Unresolvable
from blocks.domain.findings import Finding, Kind, Severity
from blocks.domain.journal import Phase
from blocks.domain.planned import STEPS as PLANNED
from blocks.domain.status import StepState
from blocks.ports.cluster import Reply
from blocks.settings import Settings
from blocks.toolchain import Toolchain
from flows.install import STEPS, install_plugin
from flows.rollback import STEPS as BACK
from tests.flows.conftest import PLUGIN, Outside

JOURNEY = ["resolve", "admit_release", "fetch", "build", "scan:trivy", "scan:trufflehog", "judge", "make_plan"]
JOURNEY += ["approval", "confirm_plan", "provision_namespace", "provision_database", "roll_out", "shift_traffic", "verify"]
JOURNEY += ["serve_revision", "retire_revision"]
# These cannot go wrong in such a first installation in dev: approvals, updates and strategies have tests of their own.
LATER = {"approval", "confirm_plan", "hand_over_data", "shift_traffic", "retire_revision"}
LATER |= {"scale_revision", "open_variants", "watch_experiment", "open_preview", "smoke_test", "route_stage", "watch_stage"}
SECRET = Finding(Kind.SECRET, "AWS", "config.env", Severity.CRITICAL)


@dataclass(frozen=True)
class Failure:
    """How the world is broken before an installation, what the request says, and the reason that must be told."""

    break_it: Callable[[Outside], object]
    code: str
    changes: Mapping[str, Any]


def at(break_it: Callable[[Outside], object], code: str, **changes: Any) -> Failure:
    """A failure, made short."""
    return Failure(break_it, code, changes)


def nothing(_: Outside) -> None:
    """The request alone leads to the failure."""


async def refuse(*_: object) -> Never:
    """What a broken system says."""
    raise Refused("it is read-only")


MISSING = [{"secret": "none", "key": "token", "path": ["proxy", "token"]}]
CONTRADICTION = {"config": {"proxy": "a word"}, "secretRefs": MISSING}
FAILURES = {
    "resolve": at(lambda to: to.releases.fails.update(releases=Unresolvable("not published")), "unresolvable"),
    "admit_release": at(nothing, "needed", dependsOn=["@a/base"]),
    "fetch": at(lambda to: to.releases.fails.update(install=IntegrityMismatch("another archive")), "integrity-mismatch"),
    "build": at(lambda to: to.images.failures.append(BuildFailed("exit code 1")), "build-failed"),
    "scan:trivy": at(lambda to: setattr(to.scanners["trivy"], "fails", ValueError("a defect of ours")), "terminal"),
    "judge": at(lambda to: setattr(to.scanners["trufflehog"], "findings", (SECRET,)), "gate-refused"),
    "make_plan": at(nothing, "refused", **CONTRADICTION),
    "provision_namespace": at(nothing, "refused", secretRefs=MISSING),
    "provision_database": at(lambda to: setattr(to.databases, "ensure", refuse), "refused"),
    "roll_out": at(lambda to: setattr(to.cluster, "pods_are", "crash"), "rollout-failed"),
    "verify": at(lambda to: setattr(to.web, "answers", [Reply(404, {}, "")]), "verification-failed"),
    "serve_revision": at(lambda to: setattr(to.operations, "serve_revision", refuse), "refused"),
}


async def test_the_story_goes_from_resolve_to_a_revision_that_serves(outside: Outside) -> None:
    seen = await outside.install()
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    names = [step.name for step in seen.operation.steps]
    assert [*names[:4], *sorted(names[4:6]), *names[6:]] == JOURNEY
    assert {step.state for step in seen.operation.steps} == {StepState.DONE}
    assert seen.revision is not None
    assert seen.revision.release == f"{PLUGIN}@1.2.3"


async def test_nothing_is_touched_in_the_cluster_before_there_is_a_plan(outside: Outside) -> None:
    outside.scanners["trufflehog"].findings = (SECRET,)
    await outside.install()
    assert not outside.cluster.requests


@pytest.mark.parametrize("broken", FAILURES)
async def test_failure_at_a_step_leaves_nothing(outside: Outside, broken: str) -> None:
    before = await outside.inventory()
    failure = FAILURES[broken]
    failure.break_it(outside)
    seen = await outside.install(**failure.changes)
    assert seen.operation.phase is Phase.WITHDRAWN, seen.operation.reason
    assert seen.operation.reason is not None
    assert seen.operation.reason.code == failure.code
    assert await outside.inventory() == before
    assert seen.revision is None
    states = {step.name: step.state for step in seen.operation.steps}
    assert broken in states
    assert set(states.values()) == {StepState.UNDONE}
    assert set(states) <= set(JOURNEY[: JOURNEY.index(broken) + 1]) | {"scan:trufflehog"}


def test_there_is_a_failure_for_every_step_of_the_flow() -> None:
    assert [name.partition(":")[0] for name in FAILURES] == [step.name for step in STEPS if step.name not in LATER]


def test_the_plan_says_of_every_step_how_it_is_taken_back() -> None:
    told = {one.name: one.undo for one in PLANNED}
    steps = {step.name: step.undo_class for step in (*STEPS, *BACK)}
    assert told == {name: steps[name] for name in told}
    after = [step.name for step in STEPS][[step.name for step in STEPS].index("make_plan") + 1 :]
    assert [*after, "quarantine_release"] == list(told)


async def test_what_failed_can_be_installed_once_the_cause_is_gone(outside: Outside) -> None:
    outside.cluster.pods_are = "crash"
    tenant = (await outside.install()).tenant
    outside.cluster.pods_are = "ready"
    seen = await outside.install(tenant=tenant)
    assert (seen.operation.phase, seen.revision is not None) == (Phase.SUCCEEDED, True)


async def test_second_tenant_asks_nobody_what_the_first_was_told(outside: Outside) -> None:
    await outside.install()
    asked = dict(outside.releases.calls)
    assert (await outside.install()).operation.phase is Phase.SUCCEEDED
    assert dict(outside.releases.calls) == asked
    assert len(outside.images.built) == 1
    assert [scanner.scans for scanner in outside.scanners.values()] == [1, 1]


async def test_failure_of_the_second_tenant_leaves_the_image_that_the_first_runs(outside: Outside) -> None:
    assert (await outside.install()).revision is not None
    before = await outside.inventory()
    outside.cluster.pods_are = "crash"
    assert (await outside.install()).operation.phase is Phase.WITHDRAWN
    assert await outside.inventory() == before


async def test_a_run_begun_on_prefects_page_carries_it_itself_and_no_other_is_sent(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations, waiting = list[UUID](), list[UUID]()

    @asynccontextmanager
    async def look_and_open(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        operations.append(operation)
        waiting.extend(await Leases(outside.engine, 60).idle(60))
        async with outside.open(settings, operation) as tools:
            yield tools

    monkeypatch.setattr(blocks.work, "open_toolchain", look_and_open)
    ended = await install_plugin(outside.request(), return_state=True)
    (operation,) = operations
    seen = await outside.views.operation(operation)
    assert seen is not None
    assert (seen.phase, seen.flow_run, seen.attempt) == (Phase.SUCCEEDED, str(ended.state_details.flow_run_id), 1)
    assert waiting == []
