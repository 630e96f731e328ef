"""What may be asked with: queries and small bodies; a name that is not known is refused, so that a typing error is never a default."""

from typing import Annotated

from fastapi import Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from blocks.domain.manifest import Label, PackageName
from blocks.domain.waivers import Waiving
from blocks.domain.watch import Environment, Spot, Terms

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]+$")]
PlanHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", examples=[f"sha256:{'3f' * 32}"])]
# What somebody said, kept for ever: something to read in it, and no control characters, which no terminal should be shown later.
SAID = r"[^\x00-\x08\x0B-\x1F\x7F]*"
Words = Annotated[str, Field(max_length=1000, pattern=rf"^{SAID}[^\s\x00-\x1F\x7F]{SAID}$")]


class Asked(BaseModel):
    """What a query or a small body may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Why(Asked):
    """Something is to happen for this reason."""

    reason: Words = Field(examples=["maintenance of the catalogue's database"])


class MaybeWhy(Asked):
    """Something is to happen, by choice for this reason."""

    reason: str = Field(default="", max_length=1000, pattern=f"^{SAID}$")


class RollbackAsked(Why):
    """Back to this revision, or to the last good one before what serves."""

    revision: int | None = Field(default=None, ge=1, strict=True)


class RetryAsked(Why):
    """Once more; with `acceptRemaining` what cannot be taken back is left as it is."""

    accept_remaining: bool = Field(default=False, strict=True)


class PromoteAsked(Why):
    """The stage that is watched is good enough; with `fully` so are those before the last, which is watched."""

    fully: bool = Field(default=False, strict=True)


class Vote(Asked):
    """A say on exactly the plan with this hash."""

    hash: PlanHash
    comment: Words = Field(examples=["read the plan; fine"])


class LiftAsked(Why):
    """The release, as `name@version`, is to be tried again."""

    release: str = Field(min_length=3, max_length=300, pattern=r"^\S+@\S+$", examples=["@backstage/plugin-catalog@2.0.8"])


class WaiverAsked(Why):
    """A finding of a plugin is to be waived until a day, because somebody answers for it."""

    plugin: PackageName = Field(examples=["@backstage/plugin-catalog"])
    tenant: Label = "default"
    environment: Environment = "dev"
    finding: str = Field(
        max_length=500,
        pattern=r"^(vulnerability|misconfiguration|licence|secret):[^\s:][^\x00-\x1F\x7F]*:[^\x00-\x1F\x7F]+$",
        description="as an objection names it: kind, id and subject",
        examples=["vulnerability:CVE-2026-0001:lodash"],
    )
    owner: Words = Field(max_length=200, description="who answers for it", examples=["team-search@example.com"])
    expires_at: AwareDatetime = Field(description="when it waives nothing any more; a year from now at most")

    @property
    def spot(self) -> Spot:
        """Where it is waived."""
        return Spot(self.tenant, self.environment, self.plugin)

    @property
    def what(self) -> Waiving:
        """What is waived."""
        return Waiving(self.finding, self.owner, int(self.expires_at.timestamp() * 1000))


class WatchChanged(Terms):
    """What is to be otherwise from now on, and why; what is left out stays as it is."""

    reason: Words = Field(examples=["we want fixes within the hour"])


class WatchAsked(WatchChanged):
    """A plugin is to be watched on these terms, for this reason."""

    plugin: PackageName = Field(examples=["@backstage/plugin-catalog"])
    tenant: Label = "default"
    environment: Environment = "dev"

    @property
    def spot(self) -> Spot:
        """What is watched."""
        return Spot(self.tenant, self.environment, self.plugin)

    @property
    def terms(self) -> Terms:
        """On which terms, each of them said or not."""
        return Terms().changed(self)
