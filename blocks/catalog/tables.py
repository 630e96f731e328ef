"""The tables of the record; every time is milliseconds since 1970 by the database's clock."""

from uuid import UUID

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class Installation(SQLModel, table=True):
    """One plugin for one tenant in one environment: the durable thing; `revision` is the one that serves, 0 if none does.

    What is not `enabled` answers 503 and runs nothing.
    """

    __table_args__ = (UniqueConstraint("tenant", "environment", "plugin"),)

    id: UUID = Field(primary_key=True)
    tenant: str = Field(index=True)
    environment: str
    plugin: str
    slug: str
    namespace: str = Field(index=True)
    revision: int = 0
    enabled: bool = True
    created_at: int = Field(sa_type=BigInteger)
    touched_at: int = Field(sa_type=BigInteger)


class Operation(SQLModel, table=True):
    """One verb on an installation: who may write its journal now, and where the journal stands.

    `token` counts every change of hands, `expires` says when the next worker may take it; `seq`, `head`, `phase` and `reason` are caches
    of the journal, written in the transaction that appends. `revision` is the number this operation makes or removes. `wish` is JSON: what
    was said with the verb. `slot` says that it may run now, `wakes_at` when what it waits for runs out (0: never), `vain` how many runs
    were started since one last took the lease, `trouble` why the last of these does not begin.
    """

    __table_args__ = (Index("operation_of_installation", "installation", "created_at"),)

    id: UUID = Field(primary_key=True)
    installation: UUID = Field(foreign_key="installation.id")
    verb: str
    request: str = Field(sa_type=Text)
    actor: str
    wish: str = Field(default="{}", sa_type=Text)
    priority: int = 1
    slot: bool = False
    wakes_at: int = Field(default=0, sa_type=BigInteger)
    revision: int
    attempt: int = 0
    vain: int = 0
    dispatched_at: int = Field(default=0, sa_type=BigInteger)
    flow_run: str = ""
    trouble: str = Field(default="", sa_type=Text)
    token: int = Field(default=0, sa_type=BigInteger)
    holder: str = ""
    expires: int = Field(default=0, sa_type=BigInteger)
    seq: int = 0
    head: str = ""
    phase: str = Field(default="requested", index=True)
    reason: str = Field(default="null", sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class JournalEntry(SQLModel, table=True):
    """One line of the journal; `payload` is text and not JSONB, because a database that rewrites JSON breaks the hash."""

    __tablename__ = "journal"

    operation: UUID = Field(primary_key=True, foreign_key="operation.id")
    seq: int = Field(primary_key=True)
    step: str
    kind: str
    token: int = Field(sa_type=BigInteger)
    actor: str
    at: int = Field(sa_type=BigInteger)
    payload: str = Field(sa_type=Text)
    prev: str
    hash: str


class PluginSet(SQLModel, table=True):
    """Several plugins of one tenant in one environment that are asked for as one; `committed_at` is 0 until all of them serve."""

    __tablename__ = "plugin_set"

    id: UUID = Field(primary_key=True)
    tenant: str = Field(index=True)
    environment: str
    name: str
    actor: str
    reason: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    committed_at: int = Field(default=0, sa_type=BigInteger)


class PluginSetMember(SQLModel, table=True):
    """One plugin of a set, at its place in the order; its operation is the set's `own`, or an older one by which it serves already."""

    __tablename__ = "plugin_set_member"

    plugin_set: UUID = Field(primary_key=True, foreign_key="plugin_set.id")
    place: int = Field(primary_key=True)
    operation: UUID = Field(foreign_key="operation.id", index=True)
    own: bool


class Revision(SQLModel, table=True):
    """What an installation runs or ran; immutable but for `served_at`, numbered from 1.

    `release` is `name@version`, `plan` the storage key of its document, `needs` a JSON list of plugins it cannot do without, `served_at`
    when it last began to serve.
    """

    installation: UUID = Field(primary_key=True, foreign_key="installation.id")
    number: int = Field(primary_key=True)
    operation: UUID = Field(foreign_key="operation.id")
    release: str
    integrity: str
    image: str = Field(index=True)
    plan: str
    url: str
    needs: str = Field(default="[]", sa_type=Text)
    served_at: int = Field(default=0, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)


class Quarantine(SQLModel, table=True):
    """A release (`name@version`) that was rolled back here and is not tried again; `lifted_at` is 0 until somebody lifts that."""

    installation: UUID = Field(primary_key=True, foreign_key="installation.id")
    release: str = Field(primary_key=True)
    reason: str = Field(sa_type=Text)
    actor: str
    at: int = Field(sa_type=BigInteger)
    lifted_at: int = Field(default=0, sa_type=BigInteger)
    lifted_by: str = ""
    lifted_why: str = Field(default="", sa_type=Text)


class Health(SQLModel, table=True):
    """How it is with what serves, as the keeper found last, written by it alone; the fields are those of `blocks.domain.health.Condition`.

    `operation` is the newest of the installation that the counts are about, `due_at` when it is asked next; `healthy`, `unhealthy` and
    `unknown` count every check ever made, which took so many `millis` in all.
    """

    installation: UUID = Field(primary_key=True, foreign_key="installation.id")
    operation: UUID | None = Field(default=None, foreign_key="operation.id")
    status: str = "unknown"
    since: int = Field(default=0, sa_type=BigInteger)
    failures: int = 0
    successes: int = 0
    tried: str = "nothing"
    note: str = Field(default="", sa_type=Text)
    said: str = Field(default="", sa_type=Text)
    checked_at: int = Field(default=0, sa_type=BigInteger)
    due_at: int = Field(default=0, sa_type=BigInteger)
    healthy: int = Field(default=0, sa_type=BigInteger)
    unhealthy: int = Field(default=0, sa_type=BigInteger)
    unknown: int = Field(default=0, sa_type=BigInteger)
    millis: int = Field(default=0, sa_type=BigInteger)


class Turnstile(SQLModel, table=True):
    """One row that whoever hands out slots must lock first, so that they are counted by one at a time."""

    id: int = Field(primary_key=True)
    passed: int = Field(default=0, sa_type=BigInteger)


class Artefact(SQLModel, table=True):
    """Something made once from inputs whose hash is `key`; asked again, the record answers."""

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)
    operation: UUID
    created_at: int = Field(sa_type=BigInteger)


class IdempotencyKey(SQLModel, table=True):
    """A key that a client gave with a request, so that the same request sent twice is one operation."""

    __tablename__ = "idempotency_key"

    tenant: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body: str
    operation: UUID = Field(foreign_key="operation.id")
    created_at: int = Field(sa_type=BigInteger)


class Watch(SQLModel, table=True):
    """A plugin whose releases are looked for, installed or not; `source` is JSON, null where it is that of the installation.

    `actor` set it last, for `reason`. `looked_at` is when somebody looked last (0: never), `found` the newest release that counts,
    `problem` why nothing could be seen.
    """

    __table_args__ = (UniqueConstraint("tenant", "environment", "plugin"),)

    id: UUID = Field(primary_key=True)
    tenant: str = Field(index=True)
    environment: str
    plugin: str
    source: str = Field(default="null", sa_type=Text)
    action: str
    version: str
    prereleases: bool = False
    enabled: bool = True
    actor: str
    reason: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    looked_at: int = Field(default=0, sa_type=BigInteger)
    found: str = ""
    problem: str = Field(default="null", sa_type=Text)


class Discovered(SQLModel, table=True):
    """A release (`name@version`) that a watch found, what was done about it and why; `operation` was asked for because of it."""

    watch: UUID = Field(primary_key=True, foreign_key="watch.id")
    release: str = Field(primary_key=True)
    first_seen: int = Field(sa_type=BigInteger)
    done: str
    why: str = Field(default="", sa_type=Text)
    operation: UUID | None = Field(default=None, foreign_key="operation.id")


class Waiver(SQLModel, table=True):
    """A finding (`kind:id:subject`) that `owner` answers for at a spot until `expires_at`; `actor` said so, for `reason`.

    `revoked_at` is 0 while nobody took it back.
    """

    id: UUID = Field(primary_key=True)
    tenant: str = Field(index=True)
    environment: str
    plugin: str
    finding: str = Field(sa_type=Text)
    owner: str
    expires_at: int = Field(sa_type=BigInteger)
    actor: str
    reason: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int = Field(default=0, sa_type=BigInteger)
    revoked_by: str = ""
    revoked_why: str = Field(default="", sa_type=Text)
