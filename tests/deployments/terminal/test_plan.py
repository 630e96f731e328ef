"""A plan as people read it: what is different stands in its own line, and the whole in the last one."""

from typing import Any

import pytest
from rich.console import Console

from blocks.domain.agreed import agree_on
from blocks.domain.fit import need_of_pods, weigh
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase
from blocks.domain.packages import Moved
from blocks.domain.plan import objects_of
from blocks.domain.planned import steps_of
from blocks.domain.replaced import Replaced
from blocks.domain.shown import Seen, as_shown, summarize, tell_changes, tell_packages, tell_traffic, warn
from blocks.domain.waivers import Waived
from deployments.terminal.plan import MOST, draw_plan
from tests.blocks.domain.plans import as_new, as_served, make_replaced, make_revision

MOVED = (Moved("@backstage/plugin-x", "1.0.0", "1.1.0"), Moved("left-pad", "", "1"))
VERDICT = {
    "admitted_by": ["no secrets"],
    "accepted": ["the database 'local'"],
    "off": [{"scanner": "snyk", "reason": "no token"}],
    "counts": [],
    "waived": [vars(Waived("licence:AGPL-3.0:a", "team-search", "only a build tool", 1_800_000_000_000))],
}


def make_document(runtime: str = "service", replaced: Replaced | None = None, **asked: Any) -> dict[str, Any]:
    """A whole document, made as planning makes it."""
    served = replaced or Replaced()
    revision = make_revision(runtime, revision=served.number + 1, **asked) | {"verdict": VERDICT}
    hashed = agree_on(revision, served, "update" if replaced else "install", MOVED if replaced else ())
    seen: dict[Name, Seen] = as_served(served, hashed) if replaced else as_new(hashed)
    told = tell_changes(hashed, served, seen)
    steps = steps_of(hashed)
    pod = next(one for one in objects_of(hashed)[Phase.WORKLOAD] if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    quota = {
        "metadata": {"name": "quota"},
        "spec": {"hard": {"requests.cpu": "16"}},
        "status": {"used": {"requests.cpu": "100m"}},
    }
    shown = {
        "changes": [as_shown(one) for one in told],
        "rbac": {"gained": ["Role hello may get configmaps hello-r2"], "lost": []},
        "quota": [one.shown() for one in weigh([quota], need_of_pods(pod, 1), {})],
        "traffic": tell_traffic(hashed),
        "steps": [vars(one) for one in steps],
        "packages": tell_packages(MOVED if replaced else ()),
        "warnings": warn(hashed, told),
        "summary": summarize(hashed, told, sum(one.undo == "final" for one in steps)),
    }
    return {"hashed": hashed, "shown": shown}


def drawn(document: dict[str, Any], *, colour: bool = False) -> list[str]:
    """The lines as a terminal of that width shows them."""
    console = Console(width=400, force_terminal=colour, color_system="standard" if colour else None)
    with console.capture() as captured:
        console.print(draw_plan(document, "sha256:abc"))
    return captured.get().splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "plan sha256:abc",
        "  @backstage/plugin-proxy-backend  1.2.3  →  1.2.3",
        "  @backstage/plugin-x              1.0.0  →  1.1.0",
        "  packages: 1 added, 1 changed",
        "  ✓ no secrets",
        "  ! accepted: the database 'local'",
        "  ! waived: licence:AGPL-3.0:a (team-search answers for it until 2027-01-15: only a build tool)",
        "    off: snyk (no token)",
        "  + ConfigMap/backstage-plugin-proxy-backend-r2  (beside ConfigMap/backstage-plugin-proxy-backend-r1)",
        "      - data[app-config.yaml].a: 1",
        "      + data[app-config.yaml].a: 2",
        "  ~ ServiceAccount/backstage-plugin-proxy-backend",
        "      its labels and annotations follow the release",
        "  - NetworkPolicy/backstage-plugin-proxy-backend-egress",
        "    6 more stay as they are",
        "  + Role hello may get configmaps hello-r2",
        "  resource      allowed  now   during  after",
        "  requests.cpu  16       100m  200m    200m",
        "  now: backstage-plugin-proxy-backend-r1 100 %",
        "  hand_over_data       final          let the new revision use the plugin's database",
        "      undo: nothing: what it writes there stays",
    ],
)
def test_an_update_is_read_line_by_line(line: str) -> None:
    served = make_replaced("backend", config={"a": 1}, egress=[{"cidr": "192.0.2.0/24", "port": 443}])
    assert line in drawn(make_document("backend", served, config={"a": 2}))


def test_whom_a_stage_meets_beside_its_share_stands_in_its_line() -> None:
    config = {"stages": [{"weight": 0, "mirror": True}, 100]}
    lines = drawn(make_document(replaced=make_replaced(), strategy="canary", strategyConfig=config))
    assert "  route_stage:1: hello-r1 100 %, hello-r2 0 %, a copy of every request to hello-r2" in lines
    assert "  route_stage:2: hello-r2 100 %" in lines


def test_the_last_line_is_the_plan_and_the_one_before_warns_of_what_is_final() -> None:
    *_, warning, last = drawn(make_document("backend", make_replaced("backend"), replicas=2))
    assert warning.startswith("! what revision 2 writes into the database stays there")
    assert last.startswith("update @backstage/plugin-proxy-backend 1.2.3 → 1.2.3 for default/dev: ")
    assert last.endswith("; 1 step cannot be taken back")


def test_a_first_install_shows_the_beginning_of_what_is_new() -> None:
    lines = drawn(make_document())
    assert "  now: nobody is served" in lines
    assert "      + spec.type: ClusterIP" in lines
    at = lines.index("  + Deployment/hello-r1")
    assert lines[at + MOST + 1].strip().startswith("… ")
    assert "metadata" not in "".join(lines[at : at + MOST])


def test_no_line_ends_in_blanks() -> None:
    assert not [line for line in drawn(make_document("backend", make_replaced("backend"))) if line != line.rstrip()]


def test_what_comes_is_green_and_what_goes_is_red() -> None:
    lines = drawn(make_document(replaced=make_replaced(config={"a": 1}), config={"a": 2}), colour=True)
    colours = {
        words: next(line for line in lines if words in line) for words in ("+ data[config.json].a", "- data[config.json].a")
    }
    assert [("\x1b[32m" in line, "\x1b[31m" in line) for line in colours.values()] == [(True, False), (False, True)]


def test_what_is_typed_by_people_is_shown_as_it_is_and_cut() -> None:
    lines = drawn(make_document(config={"a": "[bold]x", "b": "1\n2" + "y" * 200}, replaced=make_replaced()))
    assert "      + data[config.json].a: [bold]x" in lines
    (long,) = [line for line in lines if "data[config.json].b" in line]
    assert "1 ⏎ 2" in long
    assert long.endswith("…")


def test_nothing_to_do_is_one_line_more_than_the_verdict() -> None:
    document = make_document()
    empty = {"changes": [], "quota": [], "traffic": [], "steps": [], "warnings": [], "rbac": {"gained": [], "lost": []}}
    lines = drawn(document | {"shown": document["shown"] | empty | {"summary": "nothing to do"}})
    assert not {"objects", "permissions", "quota", "traffic", "steps"} & {*lines}
    assert lines[-1] == "nothing to do"
