"""What pnpm says when it gives up, one JSON object a line, turned into our words."""

import json
import re
from dataclasses import dataclass
from typing import Any

from blocks.domain.errors import IntegrityMismatch, PipelineError, Refused, Terminal, Transient
from blocks.domain.resolution import Gap

NOT_PUBLISHED = re.compile(r"NO_MATCHING_VERSION|NO_VERSIONS|FETCH_404")
FORGED = re.compile(r"INTEGRITY")
FORBIDDEN = re.compile(r"FETCH_40[13]|HTTP 40[13]")
CAN_RECOVER = re.compile(
    r"FETCH_(5\d\d|429|408)|HTTP (5\d\d|429|408)|NETWORK_ERROR|BODY_READ_ERROR|DECODE_ERROR|FETCH_TARBALL|error sending request"
)
MISSING = re.compile(r"^Failed to resolve (\S+@\S.*)$", re.MULTILINE)
LAST_LINES = 12


@dataclass(frozen=True)
class Complaint:
    """Why pnpm gave up: an error of ours and, where a dependency is not published, the gap."""

    error: PipelineError
    gap: Gap | None = None


def read_complaint(output: str) -> Complaint:
    """The complaint in pnpm's output; what cannot be understood is an error with the last lines."""
    said = [entry for line in output.splitlines() if (entry := _read_line(line)).get("level") == "error"]
    if not said:
        return Complaint(Terminal(f"pnpm gave up and said: {' | '.join(output.strip().splitlines()[-LAST_LINES:]) or 'nothing'}"))
    entry = said[-1]
    code, message = str(entry.get("code") or ""), str(entry.get("message") or "")
    return Complaint(_judge(code, message), _find_gap(code, message, entry))


def _judge(code: str, message: str) -> PipelineError:
    said, text = f"{code} {message}", " ".join(message.split())
    if FORGED.search(code):
        return IntegrityMismatch(f"a package is not what was locked: {text}", "do not install it; tell whoever runs the registry")
    if FORBIDDEN.search(said):
        return Refused(f"the registry does not let us read a package: {text}", "name a valid token in source.tokenRef")
    if CAN_RECOVER.search(said):
        return Transient(f"the registry gave no proper answer: {text}", "try again later")
    return Terminal(f"the packages cannot be locked or laid out: {text}")


def _find_gap(code: str, message: str, entry: dict[str, Any]) -> Gap | None:
    found = MISSING.search(message)
    if found is None or not (NOT_PUBLISHED.search(code) or "workspace:" in found[1]):
        return None
    chain = tuple((str(one["name"]), str(one["version"])) for one in entry.get("pkgsStack") or ())
    return Gap(found[1], chain)


def _read_line(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
