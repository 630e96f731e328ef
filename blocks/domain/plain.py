"""What cannot be asked for where nothing but plain Services leads people: said in sentences before anything begins.

A Service knows no requests, only pods. To add a check: a line in `_say_impossible` with what is not there.
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
    if said := [*_say_impossible(request)]:
        hint = "ask for shares and for metrics of your own or pods, or lead people by a gateway (SERVICE_MESH_PROVIDER)"
        raise Refused(f"{NOTHING}: {'; '.join(dict.fromkeys(said))}", hint)


def refuse_change(exposed: Iterable[Object]) -> None:
    """Nothing where what leads people stays of one kind and keeps its ports; otherwise `Refused`, because between two no share is kept."""
    for one, other in pairwise(exposed):
        if one["kind"] != other["kind"]:
            raise Refused(
                f"people are led to the plugin by its {other['kind']}, and would be led by its {one['kind']}: that is no single write",
                "set SERVICE_MESH_PROVIDER to what the plugin was installed with, or install it anew",
            )
        if one["kind"] == "Service" and _ports(one) != _ports(other):
            raise Refused(
                "the revisions listen on different ports, and one Service leads to both", "keep the ports, or install anew"
            )


def _ports(service: Object) -> Sequence[Object]:
    ports: Sequence[Object] = service["spec"]["ports"]
    return ports


def _say_impossible(request: InstallRequest) -> Iterator[str]:
    if request.strategy == "ab-testing":
        yield "no variant is kept by its cookie, so there is no A/B test"
    if request.strategy not in STAGED:
        return
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
    elif not analysis.metrics and analysis.pods is None:
        yield "no answers are counted, so the analysis needs metrics or pods, or must not be enabled"
