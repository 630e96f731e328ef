"""A database server in memory: which databases there are, who made them, and with what password."""

from uuid import UUID

from blocks.databases import NAME
from blocks.domain.errors import Refused
from blocks.ports.cluster import Made


class MemoryDatabases:
    """Passes the same tests as the real one (tests/blocks/test_databases.py), but for what only a server can show."""

    def __init__(self) -> None:
        self.made: dict[str, UUID] = {}
        self.passwords: dict[str, str] = {}

    async def ensure(self, name: str, password: str, operation: UUID) -> Made:
        """Let there be a database with this password."""
        self._check(name)
        self.passwords[name] = password
        return Made(name, created=self.made.setdefault(name, operation) == operation)

    async def drop(self, name: str, operation: UUID | None = None) -> bool:
        """Let there be none, if the operation made it."""
        self._check(name)
        if name not in self.made or operation not in (None, self.made[name]):
            return False
        del self.made[name], self.passwords[name]
        return True

    async def names(self) -> tuple[str, ...]:
        """Every database and role."""
        return tuple(sorted(f"{kind} {name}" for name in self.made for kind in ("database", "role")))

    def _check(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise Refused(f"{name!r} is not the name of a plugin's database")
