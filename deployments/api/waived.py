"""What the API shows of waivers, camelCase on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from blocks.domain.waivers import Waiver
from deployments.api.shown import Shown, moment

WAIVERS = "/api/v1/waivers"


class WaiverShown(Shown):
    """One waiver; it counts until it expires or is revoked."""

    id: UUID
    tenant: str
    environment: str
    plugin: str
    finding: str = Field(examples=["vulnerability:CVE-2026-0001:lodash"])
    owner: str = Field(description="who answers for the finding")
    actor: str = Field(description="who waived it")
    reason: str = Field(description="and why")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    revoked_why: str
    links: dict[str, str]

    @classmethod
    def of(cls, waiver: Waiver) -> Self:
        """The waiver as it is shown."""
        return cls(
            **{name: getattr(waiver, name) for name in ("id", "actor", "reason", "revoked_by", "revoked_why")},
            **vars(waiver.spot),
            finding=waiver.what.finding,
            owner=waiver.what.owner,
            created_at=moment(waiver.created_at),
            expires_at=moment(waiver.what.expires_at),
            revoked_at=moment(waiver.revoked_at) if waiver.revoked_at else None,
            links={"self": f"{WAIVERS}/{waiver.id}"},
        )


class WaiverList(Shown):
    """Some waivers; `next` is the value of `after` for the following page, or null."""

    items: tuple[WaiverShown, ...]
    next: str | None
