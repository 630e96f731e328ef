"""The cluster, the plugins' databases and the plugin's own address, as the steps know them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.patience import Patience

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """What is looked at: one kind in one namespace, narrowed by labels and fields; an empty namespace means all."""

    kind: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


Views: TypeAlias = Mapping[str, View]
Sights: TypeAlias = Mapping[str, Sequence[Object]]


@dataclass(frozen=True)
class Applied:
    """What stands now, and whether it was not there before."""

    name: Name
    uid: str
    created: bool


@dataclass(frozen=True)
class Preview:
    """What applying an object would lead to: as it stands, as it would stand, and the cluster's own words if it would refuse."""

    live: Object | None
    after: Object | None
    objection: str = ""


@dataclass(frozen=True)
class Notice:
    """One Kubernetes Event of ours: a reason in one word, the action it is about, and a sentence."""

    reason: str
    action: str
    note: str
    warning: bool = False


class Cluster(Protocol):
    """One Kubernetes cluster.

    Every method raises `Transient` where the API server does not answer and `Refused` or `DoesNotFit` where it says no.
    """

    async def read(self, name: Name) -> Object | None:
        """The object as it stands, or None."""
        ...

    async def find(self, view: View) -> list[Object]:
        """Every object in view."""
        ...

    async def groups(self) -> frozenset[str]:
        """The name of every API group that the cluster serves."""
        ...

    async def apply(self, desired: Object) -> Applied:
        """Let the object stand as desired, or raise `Refused` if it is somebody else's or somebody else changed it."""
        ...

    async def preview(self, desired: Object, stand_in: str = "") -> Preview:
        """What applying the object would lead to; nothing is changed, and a no is told instead of raised.

        Where the object's namespace is not there yet, it is tried in the stand-in namespace, and named as it is to be named.
        """
        ...

    async def remove(self, name: Name, is_ours: Callable[[Object], bool]) -> bool:
        """Let the object be gone with all that hangs on it, if it is ours as it stands; whether it was there and ours."""
        ...

    async def wait(self, views: Views, decide: Callable[[Sights], T | None], seconds: float | Patience) -> T | None:
        """The first decision that what is seen leads to, decided again at every change; None after so many seconds of seeing."""
        ...

    async def last_words(self, namespace: str, pod: str, *, previous: bool) -> str:
        """The end of the log of the pod's plugin, or of the plugin before it was last restarted; nothing if there is none."""
        ...

    async def tell(self, regarding: Object, notice: Notice) -> None:
        """Make an Event about the object, for people who look with the cluster's own tools."""
        ...


@dataclass(frozen=True)
class Made:
    """What stands now of a database and its role, and whether this operation made it."""

    database: str
    created: bool


class Databases(Protocol):
    """The PostgreSQL server on which plugins have databases; raises `Transient` where it is away, `Refused` on a no."""

    async def ensure(self, name: str, password: str, operation: UUID) -> Made:
        """Let a role of this name with this password own a database of this name, which nobody else may use."""
        ...

    async def drop(self, name: str, operation: UUID | None = None) -> bool:
        """Let database and role be gone, if the operation made them or none is given; whether there was anything to drop."""
        ...

    async def names(self) -> tuple[str, ...]:
        """Every database and role that is a plugin's."""
        ...


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class Web(Protocol):
    """Where people meet plugins: the gateway, or their Services, each known by its host."""

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """What the host answers on the path to a request with these headers, or `Transient` if there is no answer."""
        ...
