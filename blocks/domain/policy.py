"""Which gates stand in which environment, as data.

To change a policy: change its line here; a verdict names every gate that let it through, so that a reader sees what was asked.
To add an environment: name it here and in `manifest.InstallRequest`; one without gates admits nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType

from blocks.domain.findings import Kind, Severity
from blocks.domain.gates import (
    Answered,
    DatabaseAccepted,
    Gate,
    KindsAssessed,
    LicencesAllowed,
    NoMisconfiguration,
    NoSecrets,
    SeverityAtMost,
)

# The small database of the local world: it knows a handful of advisories, which is enough to try the pipeline and for nothing else.
LOCAL = frozenset({"local advisories"})
NETWORK_COPYLEFT = frozenset({"AGPL-*", "SSPL-*"})
NOT_FOR_BUSINESS = frozenset({"BUSL-*", "CC-BY-NC-*", "PolyForm-Noncommercial-*", "UNLICENSED"})
ALWAYS: tuple[Gate, ...] = (Answered(frozenset({"trivy", "trufflehog"})), KindsAssessed(frozenset(Kind)), NoSecrets())

POLICIES: Mapping[str, tuple[Gate, ...]] = MappingProxyType(
    {
        "dev": (
            *ALWAYS,
            DatabaseAccepted(LOCAL),
            SeverityAtMost(Severity.HIGH, fixable_only=True),
            NoMisconfiguration(Severity.HIGH),
            LicencesAllowed(NETWORK_COPYLEFT),
        ),
        "staging": (
            *ALWAYS,
            DatabaseAccepted(frozenset()),
            SeverityAtMost(Severity.MEDIUM, fixable_only=True),
            NoMisconfiguration(Severity.HIGH),
            LicencesAllowed(NETWORK_COPYLEFT),
        ),
        "prod": (
            *ALWAYS,
            DatabaseAccepted(frozenset()),
            SeverityAtMost(Severity.HIGH),
            SeverityAtMost(Severity.MEDIUM, fixable_only=True),
            NoMisconfiguration(Severity.MEDIUM),
            LicencesAllowed(NETWORK_COPYLEFT | NOT_FOR_BUSINESS),
        ),
    }
)


def gates_of(environment: str) -> tuple[Gate, ...]:
    """The gates of an environment; none for one that nobody wrote a policy for, and none is a refusal."""
    return POLICIES.get(environment, ())
