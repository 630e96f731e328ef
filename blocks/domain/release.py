"""Releases, the lock that holds them, and the image made of them: what travels from resolve to rollout."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One immutable version of a plugin; `integrity` is a Subresource Integrity string (`sha512-…`), `location` where its archive is."""

    name: str
    version: str
    integrity: str
    location: str


@dataclass(frozen=True)
class PassedOver:
    """A newer release that was not taken, and why."""

    version: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """The release that was chosen and everything it needs; `lock` is the storage key of the lock file.

    `why` is one sentence for the report; `passed_over` names each newer release that was tried or left out.
    """

    release: Release
    lock: str
    packages: int
    why: str
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True)
class Materials:
    """Everything the image is built from, fetched and verified: `key` is the hash of all inputs, `folder` its local build context."""

    key: str
    folder: str
    packages: int


@dataclass(frozen=True)
class Image:
    """An image in the registry; only its digest is used from here on. `inputs` is the key of the materials it was built from."""

    repository: str
    digest: str
    inputs: str

    @property
    def pinned(self) -> str:
        """`repository@sha256:…`, the one name that cannot move."""
        return f"{self.repository}@{self.digest}"
