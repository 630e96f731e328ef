"""Plans made short: revisions of the sample plugins, what serves, and what a cluster that took them would answer."""

from typing import Any

from blocks.domain.agreed import agree_on
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.plan import describe_revision, objects_of, write_document
from blocks.domain.replaced import Replaced, read_replaced
from blocks.domain.shown import Seen
from tests.blocks.domain.objects.blueprints import make_blueprint, make_plain_blueprint

VERDICT: dict[str, Any] = {"admitted_by": ["every scanner answered"], "accepted": [], "off": [], "counts": []}
OPERATION = "00000000-0000-0000-0000-000000000002"
DONE: dict[str, Any] = {"changes": [], "steps": [], "summary": "done"}


def make_revision(runtime: str = "service", *, revision: int = 1, **asked: Any) -> dict[str, Any]:
    """What one revision is."""
    return describe_revision(make_blueprint(runtime, revision=revision, **asked), "", VERDICT)


def make_plain(runtime: str = "service", *, revision: int = 1, **asked: Any) -> dict[str, Any]:
    """What one revision is where nothing but plain Services leads people."""
    return describe_revision(make_plain_blueprint(runtime, revision=revision, **asked), "", VERDICT)


def make_hashed(runtime: str = "service", *, revision: int = 1, **asked: Any) -> dict[str, Any]:
    """The hashed part of the plan that installs the revision."""
    return agree_on(make_revision(runtime, revision=revision, **asked), Replaced(), "install", ())


def make_replaced(runtime: str = "service", *, revision: int = 1, **asked: Any) -> Replaced:
    """The revision as what serves."""
    hashed = make_hashed(runtime, revision=revision, **asked)
    release = f"{hashed['inputs']['release']['name']}@1.2.3"
    return read_replaced((revision, release, OPERATION), "sha256:before", write_document(hashed, DONE))


def as_new(hashed: dict[str, Any]) -> dict[Name, Seen]:
    """What a cluster answers in which nothing is there yet."""
    return {Name.of(one): Seen(None, one) for one in every(objects_of(hashed))}


def as_served(replaced: Replaced, hashed: dict[str, Any]) -> dict[Name, Seen]:
    """What a cluster answers in which everything stands as it was put up."""
    live: dict[Name, Object | None] = {Name.of(one): one for one in replaced.objects}
    after: dict[Name, Object | None] = {Name.of(one): one for one in every(objects_of(hashed))}
    return {name: Seen(live.get(name), after.get(name)) for name in live | after}
