"""A Service by its own name, as a host: `name.namespace.svc:port`. No host of a gateway has a port, so each is told from the other."""

import re
from dataclasses import dataclass
from typing import Self

WRITTEN = re.compile(r"(?P<name>[a-z0-9-]{1,63})\.(?P<namespace>[a-z0-9-]{1,63})\.svc:(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class ServiceHost:
    """One port of one Service."""

    name: str
    namespace: str
    port: int

    @classmethod
    def read(cls, host: str) -> Self | None:
        """The Service that the host names, or None: then it is a gateway's."""
        found = WRITTEN.fullmatch(host)
        return cls(found["name"], found["namespace"], int(found["port"])) if found else None

    def __str__(self) -> str:
        return f"{self.name}.{self.namespace}.svc:{self.port}"
