"""One plugin, one short name: what its objects, its host and its image are called."""

import hashlib
import re

LONGEST = 40


def slug(plugin: str) -> str:
    """The plugin's name as a DNS label of at most 40 characters; what had to be cut is told apart by a hash of the whole name."""
    plain = re.sub(r"[^a-z0-9]+", "-", plugin.lower()).strip("-")
    if len(plain) <= LONGEST:
        return plain
    return f"{plain[: LONGEST - 9].rstrip('-')}-{hashlib.sha256(plugin.encode()).hexdigest()[:8]}"


def namespace(tenant: str, environment: str) -> str:
    """The namespace of a tenant in an environment; unambiguous, because an environment's name has no dash."""
    return f"{tenant}-{environment}"
