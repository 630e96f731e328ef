"""Whether a rollout fits into the namespace's quotas while it goes on, and into the limits of a single container.

During an update both revisions are up, so what counts is what runs now and what comes; what goes, goes afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

from blocks.domain.errors import DoesNotFit
from blocks.domain.objects.blueprint import Object
from blocks.domain.quantities import SCALE, amount

Amounts: TypeAlias = Mapping[str, Decimal]
NOTHING = Decimal(0)
# Other names that a quota may have for the same thing.
ALIASES: Mapping[str, str] = MappingProxyType(
    {"cpu": "requests.cpu", "memory": "requests.memory"}
    | {f"count/{plural}": plural for plural in ("pods", "services", "configmaps", "secrets")}
)
COUNTED: Mapping[str, str] = MappingProxyType({"Service": "services", "ConfigMap": "configmaps", "Secret": "secrets"})
WORDS: Mapping[str, str] = MappingProxyType(
    {"requests.cpu": "CPU", "requests.memory": "memory", "limits.cpu": "CPU (limits)", "limits.memory": "memory (limits)"}
)


@dataclass(frozen=True)
class Bound:
    """One resource of one quota: what it allows, and what is used before, during and after the rollout."""

    quota: str
    resource: str
    hard: Decimal
    before: Decimal
    during: Decimal
    after: Decimal

    @property
    def lacking(self) -> Decimal:
        """How much more the rollout needs than there is; nothing where it adds nothing, whatever others use."""
        return max(self.during - self.hard, NOTHING) if self.during > self.before else NOTHING

    def shown(self) -> dict[str, str]:
        """The bound in the words of Kubernetes."""
        amounts = {"hard": self.hard, "before": self.before, "during": self.during, "after": self.after}
        return {"quota": self.quota, "resource": self.resource} | {
            key: say_amount(self.resource, value) for key, value in amounts.items()
        }


def need_of_pods(pod: Mapping[str, Any], count: int) -> dict[str, Decimal]:
    """What so many pods of the spec are counted for."""
    need: dict[str, Decimal] = defaultdict(Decimal, {"pods": Decimal(count)})
    for container in pod["containers"]:
        for bound, said in container.get("resources", {}).items():
            for what, text in said.items():
                need[f"{bound}.{what}"] += amount(text) * count
    return dict(need)


def need_of_objects(created: Iterable[Object]) -> dict[str, Decimal]:
    """What new objects are counted for."""
    need: dict[str, Decimal] = defaultdict(Decimal)
    for one in created:
        if one["kind"] in COUNTED:
            need[COUNTED[one["kind"]]] += 1
    return dict(need)


def add(*needs: Amounts) -> dict[str, Decimal]:
    """All of them together."""
    return {key: sum((one.get(key, NOTHING) for one in needs), NOTHING) for key in {key for one in needs for key in one}}


def peak(needs: Sequence[Amounts]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """How much more is needed at most than in the beginning, and how much of that is free again in the end, of these needs in order."""
    most = {key: max(one.get(key, NOTHING) for one in needs) for key in add(*needs)}
    return _less(most, needs[0]), _less(most, needs[-1])


def weigh(quotas: Iterable[Object], coming: Amounts, going: Amounts) -> tuple[Bound, ...]:
    """Every bound that the rollout touches, before, during and after it.

    A quota for some pods only, and a bound in a notation that `quantities` does not read, are left to the API server.
    """
    touched = coming.keys() | going.keys()
    return tuple(
        _bound((quota, resource), coming.get(name, NOTHING), going.get(name, NOTHING))
        for quota in quotas
        if not quota["spec"].keys() & {"scopes", "scopeSelector"}
        for resource in sorted(quota["spec"]["hard"])
        if (name := ALIASES.get(resource, resource)) in touched and _is_readable(quota, resource)
    )


def must_fit(bounds: Iterable[Bound]) -> None:
    """Nothing if there is room at every moment; otherwise `DoesNotFit` with all that is lacking."""
    lacking = [one for one in bounds if one.lacking]
    if not lacking:
        return
    told = " and ".join(dict.fromkeys(_lack(one) for one in lacking))
    stays = any(one.after > one.hard for one in lacking)
    when = "during the rollout and after it" if stays else "during the rollout, until the revision before is gone"
    used = "; ".join(f"{one.quota} allows {one.shown()['hard']} {_word(one)}, {one.shown()['before']} used" for one in lacking)
    hint = "ask for less, or have the namespace's quota raised"
    raise DoesNotFit(f"does not fit: needs {told} more {when} ({used})", hint)


def must_obey(pod: Mapping[str, Any], ranges: Iterable[Object]) -> None:
    """Nothing if no container asks for more than one container may have; otherwise `DoesNotFit`."""
    most = [one["max"] for found in ranges for one in found["spec"]["limits"] if one["type"] == "Container" and "max" in one]
    told = [
        f"container {container['name']} asks for {text} {what}, and one container may have {maximum[what]}"
        for maximum in most
        for container in pod["containers"]
        for what, text in container.get("resources", {}).get("limits", {}).items()
        if what in maximum and amount(text) > amount(maximum[what])
    ]
    if told:
        raise DoesNotFit(f"does not fit: {'; '.join(told)}", "ask for less, or have the namespace's limits raised")


def say_amount(resource: str, value: Decimal) -> str:
    """The amount as people write it: `600m` cores, `256Mi` bytes, or a number; what is between two units is rounded up."""
    if resource.endswith("cpu"):
        return f"{value:.0f}" if value == value.to_integral_value() else f"{_up(value * 1000)}m"
    if resource.endswith("memory"):
        unit = next((one for one in ("Gi", "Mi") if value and value % SCALE[one] == 0), "Mi")
        return f"{_up(value / SCALE[unit])}{unit}" if value else "0"
    return f"{_up(value)}"


def _less(needed: Amounts, other: Amounts) -> dict[str, Decimal]:
    return {key: value - other.get(key, NOTHING) for key, value in needed.items()}


def _bound(which: tuple[Object, str], coming: Decimal, going: Decimal) -> Bound:
    quota, resource = which
    used = amount(_used(quota).get(resource, "0"))
    during = used + coming
    name = quota["metadata"]["name"]
    return Bound(name, resource, amount(quota["spec"]["hard"][resource]), used, during, max(during - going, NOTHING))


def _used(quota: Object) -> Mapping[str, str]:
    used: Mapping[str, str] = quota.get("status", {}).get("used", {})
    return used


def _is_readable(quota: Object, resource: str) -> bool:
    try:
        return all(amount(text) >= 0 for text in (quota["spec"]["hard"][resource], _used(quota).get(resource, "0")))
    except ValueError:
        return False


def _lack(one: Bound) -> str:
    return f"{say_amount(one.resource, one.lacking)} {_word(one)}"


def _word(one: Bound) -> str:
    name = ALIASES.get(one.resource, one.resource)
    return WORDS.get(name, name)


def _up(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)
