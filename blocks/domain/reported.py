"""What a plugin says it is: in a header of any of its answers, or in the JSON of the one that is about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

HEADER = "x-plugin-release"
FAILURE = 400


@dataclass(frozen=True)
class Reported:
    """A release as a plugin reports it; a service's own route may leave the name out."""

    name: str
    version: str

    def is_what(self, wanted: "Reported") -> bool:
        """Whether this is the release that was wanted."""
        return self.version == wanted.version and self.name in ("", wanted.name)

    def __str__(self) -> str:
        return f"{self.name or 'no name'}@{self.version}"


def read_reported(status: int, headers: Mapping[str, str], text: str) -> Reported | None:
    """The release that the answer reports, or None; an answer that is a failure reports nothing."""
    if status >= FAILURE:
        return None
    if said := headers.get(HEADER, ""):
        name, _, version = said.rpartition("@")
        return Reported(name, version)
    return _from_json(text)


def _from_json(text: str) -> Reported | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("version"), str):
        return None
    return Reported(str(body.get("name") or ""), body["version"])
