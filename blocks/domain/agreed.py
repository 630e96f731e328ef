"""What people agree to when they agree to a plan: the hashed part of its document, put together from values alone."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from blocks.domain.approval import approval_of
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import is_shared
from blocks.domain.objects.names import Name
from blocks.domain.packages import Moved, is_plugin
from blocks.domain.plan import exact
from blocks.domain.policy import gates_of
from blocks.domain.replaced import Replaced
from blocks.domain.shown import DATA

# What a recorded plan says of its revision, whatever it replaced then.
OF_REVISION = ("installation", "revision", "names", "inputs", "image", "verdict", "phases")


def agree_on(revision: Mapping[str, Any], replaced: Replaced, verb: str, moved: Iterable[Moved]) -> dict[str, Any]:
    """The hashed part of the plan that lets the revision take the place of what serves, but for the live fields."""
    release = revision["inputs"]["release"]
    plugin = {"before": replaced.release, "after": f"{release['name']}@{release['version']}"}
    dependencies = [asdict(one) for one in moved if is_plugin(one.name) and one.name != release["name"]]
    numbers = {"revision": revision["revision"], "previous": replaced.number}
    # Only an update hands the data over: an install finds none, and a way back is the undoing of such a step.
    data = DATA.format(**numbers) if verb == "update" and revision["names"]["database"] and _is_new(numbers) else ""
    decided = {"verb": verb, "previous": replaced.number, "data": data, "live": {}}
    releases = {"plugin": plugin, "dependencies": dependencies}
    return {**revision, **decided, "releases": releases, "policy": policy_of(revision["inputs"]["request"], verb)}


def policy_of(request: Mapping[str, Any], verb: str) -> dict[str, Any]:
    """What has to be satisfied in the environment: the gates in words, and who must agree."""
    environment = request["environment"]
    policy = approval_of(environment, verb, wanted=bool(request["options"].get("requireApproval")))
    approval = policy and {"roles": sorted(policy.roles), "quorum": policy.quorum, "stands_ms": policy.stands_ms}
    return {"gates": [one.title for one in gates_of(environment)], "approval": approval}


def recall_revision(hashed: Mapping[str, Any], serving: Iterable[Object]) -> dict[str, Any]:
    """The revision as it was recorded, among what plugins share as it is now: that is not one revision's to take back."""
    shared = {Name.of(one): one for one in serving if is_shared(one)}
    staged = [one | {"objects": [shared.get(Name.of(it), it) for it in one["objects"]]} for one in hashed["phases"]]
    recalled: dict[str, Any] = exact({key: hashed[key] for key in OF_REVISION} | {"phases": staged})
    return recalled


def _is_new(numbers: Mapping[str, int]) -> bool:
    return numbers["revision"] != numbers["previous"]
