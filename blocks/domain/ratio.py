"""How many pods of each revision stand for a share of the requests, where nothing but a Service shares them: each ready pod gets as many.

Pure like the other decisions, and made from the plan alone, so that it is said before anything begins and whoever takes over decides alike.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.phases import Phase
from blocks.domain.stages import stages_of
from blocks.domain.strategy import Stage
from blocks.domain.waves import Sizes

ALL = 100


def is_plain(hashed: Mapping[str, Any]) -> bool:
    """Whether nothing but the plugin's Service leads people to the revision of the plan."""
    exposed = (one for phase in hashed["phases"] if phase["phase"] == Phase.EXPOSURE for one in phase["objects"])
    return any(one["kind"] == "Service" for one in exposed)


def sizes_of(hashed: Mapping[str, Any]) -> tuple[Sizes, ...]:
    """How many pods each side has at each stage of the plan; none where a route shares the requests, or there is nobody to share with."""
    if not is_plain(hashed) or not hashed["previous"]:
        return ()
    wanted = InstallRequest.model_validate(hashed["inputs"]["request"]).replicas
    live = hashed["live"].get(f"Deployment/{hashed['names']['slug']}-r{hashed['previous']}") or {"spec": {}}
    return share_out(stages_of(hashed), Sizes(wanted, live["spec"].get("replicas") or wanted))


def weights_of(hashed: Mapping[str, Any]) -> tuple[int, ...]:
    """The percent of the requests that the revision has at each stage: what is asked for, or what its pods come to."""
    stages, sizes = stages_of(hashed), sizes_of(hashed)
    if not sizes:
        return tuple(stage.weight for stage in stages)
    return tuple(ALL if stage.weight == ALL else percent(size) for stage, size in zip(stages, sizes, strict=True))


def share_out(stages: Iterable[Stage], whole: Sizes) -> tuple[Sizes, ...]:
    """The sizes at each stage; `whole` is what each side has when it serves alone. The side that comes is never made smaller on its way."""
    found: list[Sizes] = []
    for stage in stages:
        before = found[-1] if found else Sizes(1, whole.going)
        # With all requests on one side the other keeps what it has, for the way back.
        found.append(Sizes(whole.coming, before.going) if stage.weight == ALL else _nearest(stage.weight, whole, before.coming))
    return tuple(found)


def percent(sizes: Sizes) -> int:
    """The percent of the requests that the coming side has with these sizes."""
    return round(ALL * _part(sizes))


def tell_share(weight: int, sizes: Sizes) -> str:
    """What a stage does, for people: how many pods answer, and which share that is where it is not the one that was asked for."""
    if weight == ALL:
        return f"send all requests to the revision's {_pods(sizes.coming)}, in one write"
    got, whole = percent(sizes), sizes.coming + sizes.going
    near = "" if got == weight else f": {weight} % are asked for, {sizes.coming} of {whole} pods are {got} %"
    return f"let {got} % of the requests meet the revision by {_pods(sizes.coming)} of it beside {sizes.going} of the one before{near}"


def _nearest(weight: int, whole: Sizes, floor: int) -> Sizes:
    """The sizes nearest to the share, with as few pods as it takes: one of each side at least, and in all never fewer than serve alone."""
    least = min(whole.coming, whole.going)
    every = (Sizes(new, old) for new in range(floor, whole.coming + 1) for old in range(1, whole.going + 1))
    enough = (one for one in every if one.coming + one.going >= least)
    return min(enough, key=lambda one: (abs(ALL * _part(one) - weight), one.coming + one.going))


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _part(sizes: Sizes) -> Fraction:
    return Fraction(sizes.coming, sizes.coming + sizes.going)
