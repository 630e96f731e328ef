"""How what serves is, from one check to the next, and what is done about it.

It is unhealthy after so many bad answers in a row, and healthy with the first good one. A check that found out nothing, because the
gateway itself is away, is neither. Each remedy is tried once for one cause, the mildest first, and the cause is over only after as many
good answers in a row: what falls ill right after its restart was not cured by it.

To add a remedy: name it in `Remedy` after those that are milder, and in `MOST` with the policy that allows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field

from blocks.domain.strict import Strict

# Milliseconds for which nobody may have asked before the last answer counts as old.
OVERDUE_MS = 60_000
OLD = "nobody has asked for longer than was to be: an operation is on its way, or no keeper runs"
Policy = Literal["report", "restart", "rollback"]


class Status(StrEnum):
    """How it is with what serves."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """What is done about what is unhealthy, the mildest first."""

    NOTHING = "nothing"
    RESTART = "restart"
    ROLLBACK = "rollback"


ORDER = tuple(Remedy)
# Whose word a remedy is, and the verb that it is asked for with.
ACTOR = "keeper"
VERBS: Mapping[Remedy, str] = MappingProxyType({Remedy.RESTART: "reload", Remedy.ROLLBACK: "rollback"})
# The strongest remedy that each policy allows.
MOST: Mapping[Policy, Remedy] = MappingProxyType(
    {"report": Remedy.NOTHING, "restart": Remedy.RESTART, "rollback": Remedy.ROLLBACK}
)


class HealthTerms(Strict):
    """How often what serves is asked, and what bad answers lead to; times in seconds.

    Without a path it is asked where it says whether it is ready, or else which release it is.
    """

    interval: int = Field(default=30, ge=1, le=3600, strict=True)
    timeout: int = Field(default=5, ge=1, le=10, strict=True)
    failures: int = Field(default=3, ge=1, le=100, strict=True, description="so many bad answers in a row are too many")
    path: str | None = Field(default=None, pattern=r"^/[^\s?#]*$", max_length=256)
    policy: Policy = Field(default="report", description="the most that is done: restart, and rollback where that did not help")


@dataclass(frozen=True)
class Place:
    """Where it is asked: the host by which the gateway knows it, and a path."""

    host: str
    path: str


@dataclass(frozen=True)
class Check:
    """One question and what came of it, in a sentence; `good` is None where nothing was found out, `at` milliseconds since 1970."""

    at: int
    good: bool | None
    said: str

    @property
    def found(self) -> Status:
        """What the check alone says."""
        if self.good is None:
            return Status.UNKNOWN
        return Status.HEALTHY if self.good else Status.UNHEALTHY


@dataclass(frozen=True)
class Condition:
    """How it is, since when, and after how many answers of a kind in a row; times in milliseconds since 1970, 0 for never.

    `tried` is the strongest remedy that was tried for the present cause, `note` what came of that.
    """

    status: Status = Status.UNKNOWN
    since: int = 0
    failures: int = 0
    successes: int = 0
    tried: Remedy = Remedy.NOTHING
    note: str = ""
    said: str = "nobody has asked yet"
    checked_at: int = 0

    def after(self, check: Check, terms: HealthTerms) -> Self:
        """The condition once the check is counted in."""
        failures, successes, status = self.failures, self.successes, check.found
        if check.good:
            failures, successes = 0, successes + 1
        elif check.good is False:
            failures, successes = failures + 1, 0
            # One bad answer is no illness, and no cure either.
            status = Status.UNHEALTHY if failures >= terms.failures else self.status
        seen = replace(self, status=status, failures=failures, successes=successes, said=check.said, checked_at=check.at)
        if status is not self.status or not self.checked_at:
            seen = replace(seen, since=check.at)
        return replace(seen, tried=Remedy.NOTHING, note="") if successes >= terms.failures else seen

    def anew(self, tried: Remedy = Remedy.NOTHING, note: str = "") -> Self:
        """The condition with everything counted from here; of remedies only this one counts as tried for the present cause."""
        return replace(self, failures=0, successes=0, tried=tried, note=note)

    def known(self, now: int, due: int) -> Self:
        """The condition as far as it is known now, where it was to be asked again at the time `due`: an old answer is none."""
        return replace(self, status=Status.UNKNOWN, since=due, said=OLD) if now > due + OVERDUE_MS else self


def choose_remedy(condition: Condition, terms: HealthTerms) -> Remedy:
    """What is to be done now: the mildest remedy that the policy allows and that was not tried yet, once there is a need."""
    if condition.status is not Status.UNHEALTHY or condition.failures < terms.failures:
        return Remedy.NOTHING
    next_one = ORDER.index(condition.tried) + 1
    allowed = ORDER[next_one : ORDER.index(MOST[terms.policy]) + 1]
    return allowed[0] if allowed else Remedy.NOTHING


def read_remedy(actor: str, verb: str) -> Remedy:
    """Which remedy an operation was; what somebody else asked for is none, and with it a new cause begins."""
    found = [remedy for remedy, asked in VERBS.items() if (actor, verb) == (ACTOR, asked)]
    return found[0] if found else Remedy.NOTHING


def judge_answer(at: int, path: str, status: int) -> Check:
    """The check that was answered with an HTTP status, which is good as Kubernetes has it: from 200 to 399."""
    return Check(at, 200 <= status < 400, f"{path} answered {status}")


def judge_silence(at: int, path: str, seconds: int, *, gateway_answers: bool) -> Check:
    """The check that nobody answered: the plugin's fault only where the gateway answers others."""
    if gateway_answers:
        return Check(at, good=False, said=f"{path} gave no answer within {seconds} s")
    return Check(at, good=None, said="the gateway answers nobody, so nothing is known of the plugin")


def find_place(hashed: Mapping[str, Any], terms: HealthTerms) -> Place:
    """Where to ask what serves, from the hashed part of the document of its plan."""
    names = hashed["names"]
    return Place(names["host"], terms.path or (_ready_path(hashed) or names["release"]))


def _ready_path(hashed: Mapping[str, Any]) -> str:
    """The path that says whether it is ready, or nothing where that is said on a port that the gateway does not reach."""
    plugin = hashed["inputs"]["request"]["plugin"]
    check, ports = plugin["healthChecks"]["readiness"], plugin["networking"]["ports"]
    beside = check and ports and check["port"] != ports[0]["port"]
    path: str = hashed["names"]["readiness"]
    return "" if beside else path
