"""Which work pool runs what: one word of configuration, read once, the same for whoever declares and whoever starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Self

from blocks.domain.errors import Refused

HINT = 'write the pool of everything first, then exceptions: "embedded,prod=kubernetes,big-*/dev=kubernetes,discover-plugins=embedded"'


@dataclass(frozen=True)
class Place:
    """For whom a flow runs; empty words where it runs for nobody in particular."""

    environment: str = ""
    tenant: str = ""


NOBODY = Place()


@dataclass(frozen=True)
class Pools:
    """The pool of everything, and the pools of the flows, the tenants in an environment, and the environments that have another one.

    A tenant may be a pattern, as file names are matched: `big-*/dev`.
    """

    default: str
    others: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Self:
        """The pools as they are configured, or `Refused`."""
        first, *rest = [part.strip() for part in text.split(",")]
        pairs = [part.partition("=") for part in rest]
        if not first or "=" in first or not all(name.strip() and pool.strip() for name, _, pool in pairs):
            raise Refused(f"{text!r} does not say which work pool runs what", HINT)
        others = {name.strip(): pool.strip() for name, _, pool in pairs}
        if len(others) < len(pairs):
            raise Refused(f"{text!r} names one thing twice", HINT)
        return cls(first, MappingProxyType(others))

    def of(self, flow: str, place: Place = NOBODY) -> str:
        """The pool that runs the flow there; what is said of the flow wins, then of the tenant, then of the environment."""
        there = f"{place.tenant}/{place.environment}"
        tenants = (pool for name, pool in self.others.items() if "/" in name and fnmatchcase(there, name))
        return self.others.get(flow) or next(tenants, None) or self.others.get(place.environment) or self.default

    def running(self, flow: str) -> tuple[str, ...]:
        """Every pool in which the flow may be wanted, its main one first."""
        if flow in self.others:
            return (self.others[flow],)
        # Which of the other names are environments nobody can tell: an environment is any word.
        return (self.default, *sorted({*self.others.values()} - {self.default}))

    def deployment(self, flow: str, place: Place) -> str:
        """The name of the deployment that runs the flow there."""
        return self.named(flow, self.of(flow, place))

    def named(self, flow: str, pool: str) -> str:
        """The name of the flow's deployment in the pool: the flow's own in its main pool."""
        return flow if pool == self.of(flow) else f"{flow}-{pool}"
