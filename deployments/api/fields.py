"""Which field is wrong, in the words of the request: `plugin.networking.ports[0].port`, a sentence and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field

from blocks.domain.deployment import Deployment
from blocks.domain.manifest import InstallRequest
from blocks.domain.plugin_sets import SetRequest
from deployments.api.asked import LiftAsked, RetryAsked, RollbackAsked, Vote, WatchAsked

# Where pydantic puts the name of the chosen variant into the path of a field, which the request does not have.
TAGGED: Mapping[str, frozenset[str]] = MappingProxyType({"source": frozenset({"npm", "folder"})})
# Every shape whose fields a wrong name may have been meant for.
ASKED = (InstallRequest, RollbackAsked, RetryAsked, Vote, LiftAsked, WatchAsked, Deployment, SetRequest)
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "add it",
        "literal_error": "use one of the values named",
        "enum": "use one of the values named",
        "int_type": "give a number without quotes",
        "string_type": "put the value in quotes",
        "string_pattern_mismatch": "see the examples on /api/docs",
        "union_tag_invalid": "use one of the types named",
        "union_tag_not_found": "say which type it is",
    }
)
FIELD_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "options.skipSecurityScan": "a scan cannot be skipped; a finding can be waived with a reason, an owner and an expiry",
        "options.skipDependencyCheck": "the check cannot be skipped; name a version whose dependencies are published",
        "strategy": "rolling-update, canary, blue-green and ab-testing are the strategies there are",
    }
)


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["plugin.networking.ports[0].port"])
    message: str = Field(examples=["Input should be less than or equal to 65535"])
    hint: str = ""


def name_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """Each of pydantic's errors as a field with a sentence and a hint; what was sent is never repeated, it may be secret."""
    return [_name(error) for error in errors]


def name_field(location: Sequence[str | int]) -> str:
    """The field's name as the request writes it, empty for the request as a whole."""
    name = ""
    for before, part in zip(("", *location), location, strict=False):
        if part in TAGGED.get(str(before), frozenset()):
            continue
        name += f"[{part}]" if isinstance(part, int) else f".{part}"
    return name.lstrip(".")


def _name(error: Mapping[str, Any]) -> FieldProblem:
    _, *location = error["loc"]
    field, kind = name_field(location), str(error["type"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return FieldProblem(field=field, message="this field is not known", hint=_guess(str(location[-1])))
    if not field:
        return FieldProblem(field=field, message=message, hint="send one JSON object, as in the examples on /api/docs")
    return FieldProblem(field=field, message=message, hint=FIELD_HINTS.get(field, HINTS.get(kind, "")))


def _guess(name: str) -> str:
    near = get_close_matches(name, sorted(_known_names()), n=1)
    return f"did you mean {near[0]}?" if near else "remove it"


def _known_names() -> set[str]:
    schemas = [shape.model_json_schema(by_alias=True) for shape in ASKED]
    shapes = [shape for schema in schemas for shape in (schema, *schema.get("$defs", {}).values())]
    return {name for shape in shapes for name in shape.get("properties", {})}
