"""Plays in which people say something: they let it go on, take it back, change their mind, or ask for what cannot be."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from blocks.catalog.requests import Asked
from blocks.domain.asking import Busy
from blocks.domain.errors import NotAllowed
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from tests.flows.life import BOB, CANARY, ROLLING, SILENT, UNWATCHED, Life, Nature
from tests.flows.standing import replicas, weights

ANN = Asked("ann")


async def abort(life: Life) -> InstallationView:
    """It is cancelled while three pods of the new revision have users; they are gone with everything else that was new."""
    seen = await life.halfway(replicas=3)
    return await life.cancel(seen)


async def retry(life: Life) -> InstallationView:
    """What answers is not what was installed; somebody sees to it and lets the frozen update try again."""
    seen = await life.update("2.0.0", Nature.DISGUISED, options={"onFailure": "freeze"})
    assert seen.operation.phase is Phase.FROZEN
    return await life.go_on(seen)


async def promote(life: Life) -> InstallationView:
    """Each stage waits for want of numbers, and somebody says that it is good enough."""
    return await life.go_on(await life.halfway())


async def promote_fully(life: Life) -> InstallationView:
    """After the word the last stage is the next; that one is promoted too."""
    seen = await life.halfway(**life.config(stages="20,40,60,100"))
    await life.outside.words.promote(seen.operation.id, BOB, "it mends an outage", fully=True)
    seen = await life.go_on(await life.outside.carry_on(seen))
    assert life.begun(seen) == ["route_stage:1", "route_stage:4"]
    return seen


async def busy(life: Life, **changes: Any) -> InstallationView:
    """What else is asked for while an update waits is refused, and asked for again once that was cancelled."""
    seen = await life.halfway()
    asked = life.outside.request(**life.asks("3.0.0", **changes))
    with pytest.raises(Busy, match=r"has not ended|is frozen"):
        await life.outside.requests.request_install(asked, ANN)
    await life.cancel(seen)
    return await life.update("3.0.0", **changes)


async def update_in_the_middle(life: Life) -> InstallationView:
    """A newer release is asked for while one is in a stage."""
    return await busy(life)


async def scale_in_the_middle(life: Life) -> InstallationView:
    """More replicas are asked for while an update waits."""
    return await busy(life, replicas=3)


async def malformed_then_fixed(life: Life) -> InstallationView:
    """A request that contradicts itself is taken back when it is planned; the one without the mistake goes through."""
    missing = [{"secret": "none", "key": "token", "path": ["proxy", "token"]}]
    refused = await life.update("2.0.0", config={"proxy": "a word"}, secretRefs=missing)
    assert refused.operation.reason is not None
    assert refused.operation.reason.code == "refused"
    return await life.update("2.0.0", config={"proxy": {}})


async def invalid_analysis(life: Life) -> InstallationView:
    """It is to be judged by what cannot be: nothing is recorded."""
    field, config = life.absurd()
    with pytest.raises(ValidationError, match=field):
        life.outside.request(**life.asks("2.0.0", **config))
    return await life.outside.see(life.first.id)


async def invalid_stages(life: Life) -> InstallationView:
    """Stages that fall, or that the strategy has not: nothing is recorded."""
    with pytest.raises(ValidationError, match="stage"):
        life.outside.request(**life.asks("2.0.0", strategyConfig={"stages": life.unfit}))
    return await life.outside.see(life.first.id)


async def switch_strategies(life: Life) -> InstallationView:
    """The update before came by another strategy."""
    other = ROLLING if life.strategy == CANARY else CANARY
    await life.update("2.0.0", **life.config(UNWATCHED, other))
    return await life.update("3.0.0")


async def switch_strategies_midway(life: Life) -> InstallationView:
    """One strategy's update waits, is cancelled, and the same release comes by the other."""
    other = next(one for one in (CANARY, "blue-green") if one != life.strategy)
    seen = await life.watched("2.0.0", SILENT, **life.config(strategy=other))
    await life.cancel(seen)
    return await life.update("2.0.0")


async def roll_back(life: Life) -> InstallationView:
    """The release before is wanted again."""
    seen = await life.update("2.0.0")
    await life.publish("1.2.3")
    return await life.outside.roll_back(seen.id)


async def roll_back_beyond_history(life: Life) -> InstallationView:
    """A revision is named that there is not."""
    seen = await life.update("2.0.0")
    with pytest.raises(NotAllowed, match="these can: 1"):
        await life.outside.requests.request_rollback(seen.id, Asked("ann", reason="it is slow"), 9)
    return await life.outside.see(seen.id)


async def change_everything(life: Life) -> InstallationView:
    """Release, configuration and replicas are new at once."""
    return await life.update("2.0.0", replicas=3, config={"colour": "red"})


async def scale(life: Life) -> InstallationView:
    """Nothing is new but the number of replicas."""
    return await life.update("1.2.3", replicas=3)


async def kept_warm(life: Life) -> InstallationView:
    """All requests are on the new revision, and as long as that is watched the one before stands ready for an instant way back."""
    seen = await life.halfway(replicas=2)
    stands = await life.stands()
    assert weights(stands) == {life.name("Service", 2).name: 100}
    assert replicas(stands) == {life.name("Deployment", 1).name: 1, life.name("Deployment", 2).name: 2}
    return await life.go_on(seen)


async def by_header(life: Life) -> InstallationView:
    """Whoever asks for the revision with a header meets it before everybody does."""
    seen = await life.halfway(**life.by_header({"name": "x-team", "value": "ours"}))
    (rule,) = [one for one in await rules(life) if ("x-team", "ours") in headers_of(one)]
    assert headers_of(rule) == [("x-team", "ours")]
    assert [one["name"] for one in rule["backendRefs"] if one.get("weight", 1)] == [life.name("Service", 2).name]
    return await life.go_on(seen)


async def mirrored(life: Life) -> InstallationView:
    """First the revision has copies of all requests, and nobody sees what it answers."""
    seen = await life.halfway(**life.config(stages=[{"weight": 0, "mirror": True}, {"weight": 100}]))
    filters = [one for rule in await rules(life) for one in rule.get("filters", ()) if one["type"] == "RequestMirror"]
    assert [one["requestMirror"]["backendRef"]["name"] for one in filters] == [life.name("Service", 2).name]
    assert weights(await life.stands()) == {life.name("Service", 1).name: 100}
    return await life.go_on(seen)


async def restart(life: Life) -> InstallationView:
    """The pods of an update are made anew, with a disruption budget on them."""
    seen = await life.update("2.0.0", replicas=2)
    assert await life.read(life.name("PodDisruptionBudget")) is not None
    return await life.outside.switch(seen.id, "reload")


async def rules(life: Life) -> list[dict[str, Any]]:
    """What the gateway is told to do with the requests."""
    route = await life.read(life.name("HTTPRoute"))
    assert route is not None
    return list(route["spec"]["rules"])


def headers_of(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is sent by those whom the rule is for, each header with its value."""
    return [(one["name"], one["value"]) for match in rule.get("matches", ()) for one in match.get("headers", ())]
