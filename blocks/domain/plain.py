"""What cannot be asked for where nothing but plain Services leads people: said in sentences before anything begins.

A Service knows no requests, only pods. To add a check: a line in `say_impossible` with what is not there.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from blocks.domain.analysis import Analysis
from blocks.domain.errors import Refused
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.blueprint import Object
from blocks.domain.stages import config_of
from blocks.domain.strategy import STAGED

NOTHING = "here is nothing but plain Services, which share requests by how many pods there are"


def refuse_impossible(request: InstallRequest) -> None:
    """Nothing where the request can be met by Services alone; otherwise `Refused` with everything that cannot."""
    if said := [*say_impossible(request)]:
        hint = "ask for shares and for metrics of your own or pods, or lead people by a gateway (SERVICE_MESH_PROVIDER)"
        raise Refused(f"{NOTHING}: {'; '.join(dict.fromkeys(said))}", hint)


def refuse_change(exposed: Sequence[Object]) -> None:
    """Nothing where what leads people stays of one kind and keeps its ports; otherwise `Refused`."""
    if said := [*say_change(exposed)]:
        hint = "set SERVICE_MESH_PROVIDER to what the plugin was installed with and keep its ports, or install it anew"
        raise Refused("; ".join(said), hint)


def say_change(exposed: Iterable[Object]) -> Iterator[str]:
    """What is in the way between two ways of being led to a plugin; the new one stands first."""
    for now, before in pairwise(exposed):
        if now["kind"] != before["kind"]:
            change = f"by its {before['kind']}, and would be led by its {now['kind']}"
            yield f"people are led to the plugin {change}: that is no single write"
        elif now["kind"] == "Service" and _ports(now) != _ports(before):
            yield "the revisions listen on different ports, and one Service leads to both"


def _ports(service: Object) -> Sequence[Object]:
    ports: Sequence[Object] = service["spec"]["ports"]
    return ports


def say_impossible(request: InstallRequest) -> Iterator[str]:
    """All that Services alone cannot do of what is asked for."""
    if request.strategy == "ab-testing":
        yield "no variant is kept by its cookie, so there is no A/B test"
    if request.strategy not in STAGED:
        return
    if request.autoscaling and request.strategy == "canary":
        yield "an autoscaler and a share would each say how many pods there are"
    config = config_of(request)
    for stage in config.stages:
        if stage.others:
            yield f"{stage.others} cannot be told from others"
    yield from _say_unmeasured(config.analysis)


def _say_unmeasured(analysis: Analysis) -> Iterator[str]:
    """Nobody counts what a revision answers, and how long it takes."""
    if not analysis.enabled:
        return
    usual = Analysis()
    if (analysis.success_rate, analysis.latency_ms) != (usual.success_rate, None) or analysis.compared_to_stable:
        yield "no answers are counted, so no successRate, latencyMs or comparedToStable is known"
    elif analysis.pods is None and all(one.dry_run for one in analysis.metrics):
        yield "no answers are counted, so the analysis needs metrics that decide or pods, or must not be enabled"
