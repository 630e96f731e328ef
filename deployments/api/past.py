"""What the API shows of what was: revisions, quarantines, the timeline and the audit of the journal."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from blocks.domain.audit import Broken
from blocks.domain.status import PastRevision, QuarantineView
from blocks.domain.timeline import Moment
from deployments.api.shown import Shown, moment


class PastShown(Shown):
    """One revision that served or serves; it can be gone back to unless it serves or its release is in quarantine."""

    number: int
    release: str = Field(examples=["@backstage/plugin-catalog@2.0.8"])
    integrity: str
    image: str
    url: str
    operation: UUID = Field(description="the operation that made it")
    served_at: datetime = Field(description="when it began to serve the last time")
    serving: bool
    quarantined: bool

    @classmethod
    def of(cls, past: PastRevision) -> Self:
        """The revision as it is shown."""
        return cls(**{**vars(past), "served_at": moment(past.served_at)})


class PastList(Shown):
    """Every revision, the one that served last first."""

    items: tuple[PastShown, ...]


class QuarantineShown(Shown):
    """One release that was rolled back here; `liftedAt` is null while it is not tried again."""

    release: str = Field(examples=["@backstage/plugin-catalog@2.0.8"])
    reason: str
    actor: str
    at: datetime
    lifted_at: datetime | None
    lifted_by: str
    lifted_why: str

    @classmethod
    def of(cls, view: QuarantineView) -> Self:
        """The quarantine as it is shown."""
        lifted = moment(view.lifted_at) if view.lifted_at else None
        return cls(**{**vars(view), "at": moment(view.at), "lifted_at": lifted})


class QuarantineList(Shown):
    """Every quarantine of the installation, lifted or not, the newest first."""

    items: tuple[QuarantineShown, ...]


class MomentShown(Shown):
    """One entry of the journal for people: who did or said what in which step, why, what came of it and how long it took."""

    at: datetime
    operation: UUID
    verb: str = Field(examples=["install"])
    seq: int = Field(description="its number in the journal of the operation")
    actor: str
    reason: str = Field(description="what the actor said, or why it failed")
    step: str = Field(examples=["build"])
    kind: str = Field(examples=["done"])
    result: str = Field(description="what the step came to, in short")
    seconds: float | None
    trace: str = Field(description="the trace's id", examples=["4bf92f3577b34da6a3ce929d0e0e4736"])

    @classmethod
    def of(cls, told: Moment) -> Self:
        """The moment as it is shown."""
        return cls(**{**vars(told), "at": moment(told.at)})


class TimelineShown(Shown):
    """Some moments in their order; `next` is the value of `after` for the following page, or null."""

    items: tuple[MomentShown, ...]
    next: int | None


class BrokenShown(Shown):
    """The first entry of an operation's journal that is not as it was written."""

    operation: UUID
    seq: int
    what: str = Field(examples=["entry 3 was edited"])

    @classmethod
    def of(cls, broken: Broken) -> Self:
        """The break as it is shown."""
        return cls(operation=broken.operation, seq=broken.seq, what=broken.what)


class AuditShown(Shown):
    """Whether the journal is whole, each operation where it is not, and what is no alarm but worth saying."""

    whole: bool
    broken: tuple[BrokenShown, ...]
    remarks: tuple[str, ...]
