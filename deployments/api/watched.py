"""What the API shows of watches, camelCase on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from blocks.domain.manifest import Source
from blocks.domain.watch import Action, Discovered, Done, Watch
from deployments.api.shown import ReasonShown, Shown, moment

WATCHES = "/api/v1/watches"


class DiscoveredShown(Shown):
    """A release that was found, what was done about it and why, and the operation that was requested because of it."""

    release: str = Field(examples=["@backstage/plugin-catalog@2.0.9"])
    first_seen: datetime
    done: Done
    why: str = Field(examples=["it was rolled back here: search is slow"])
    operation: UUID | None

    @classmethod
    def of(cls, found: Discovered) -> Self:
        """The release as it is shown."""
        return cls(**{**vars(found), "first_seen": moment(found.first_seen)})


class WatchShown(Shown):
    """One watch; `discovered` is empty in lists, and holds the last releases where one watch is shown."""

    id: UUID
    tenant: str
    environment: str
    plugin: str
    source: Source | None = Field(description="null: where the installation has its releases from, else npm")
    action: Action
    version: str = Field(description="only releases that satisfy it count", examples=["^2.0.0"])
    prereleases: bool
    enabled: bool
    actor: str = Field(description="who set it last")
    reason: str = Field(description="and why")
    created_at: datetime
    updated_at: datetime
    looked_at: datetime | None = Field(description="when somebody last looked")
    found: str = Field(description="the newest release that counts", examples=["2.0.9"])
    problem: ReasonShown | None = Field(description="why nothing could be seen the last time; the next round tries again")
    discovered: tuple[DiscoveredShown, ...]
    links: dict[str, str]

    @classmethod
    def of(cls, watch: Watch) -> Self:
        """The watch as it is shown."""
        return cls(
            **{name: getattr(watch, name) for name in ("id", "actor", "reason", "found")},
            **vars(watch.spot),
            **{name: getattr(watch.terms, name) for name in ("source", "action", "version", "prereleases", "enabled")},
            created_at=moment(watch.created_at),
            updated_at=moment(watch.updated_at),
            looked_at=moment(watch.looked_at) if watch.looked_at else None,
            problem=ReasonShown(**vars(watch.problem)) if watch.problem else None,
            discovered=tuple(DiscoveredShown.of(one) for one in watch.discovered),
            links={"self": f"{WATCHES}/{watch.id}"},
        )


class WatchList(Shown):
    """Some watches; `next` is the value of `after` for the following page, or null."""

    items: tuple[WatchShown, ...]
    next: str | None
