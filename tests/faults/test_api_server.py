"""One request in many goes wrong: what was wanted stands all the same, once, and nothing is claimed that is not so."""

import pytest

from blocks.cluster.paths import path_of
from blocks.domain.errors import PipelineError, Refused, Transient, Unreachable
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from tests.blocks.cluster.conftest import make
from tests.faults.conftest import Front
from tests.faults.proxy import FOREVER, Act, Fault, Proxy, answers, commits_and, hangs_up, is_cut_short, shows_a_page

LEADER = "etcdserver: leader changed"
BUSY = answers(429, "too many requests", Retry_After="1")
GATEWAY = answers(504, "the gateway waited for too long")
STALE = answers(409, "the object has been modified; please apply your changes to the latest version")
READ, WRITE, DELETE = "GET configmaps", "PATCH configmaps", "DELETE configmaps"

FAULTS = [
    pytest.param(READ, BUSY, id="a read meets a busy server"),
    pytest.param(READ, answers(500, LEADER), id="a read meets a change of leaders"),
    pytest.param(READ, GATEWAY, id="a read is given up by a gateway"),
    pytest.param(READ, hangs_up, id="a read is cut"),
    pytest.param(READ, shows_a_page, id="a read is answered by something else"),
    pytest.param(READ, is_cut_short, id="a read ends in the middle"),
    pytest.param(WRITE, BUSY, id="a write meets a busy server"),
    pytest.param(WRITE, answers(500, LEADER), id="a write meets a change of leaders"),
    pytest.param(WRITE, STALE, id="a write comes too late"),
    pytest.param(WRITE, hangs_up, id="a write is cut"),
    pytest.param(WRITE, shows_a_page, id="a write is answered by something else"),
    pytest.param(WRITE, commits_and(GATEWAY), id="a write happens, and a gateway gives it up"),
    pytest.param(WRITE, commits_and(answers(500, LEADER)), id="a write happens, and leaders change"),
    pytest.param(WRITE, commits_and(hangs_up), id="a write happens, and its answer is cut"),
    pytest.param(WRITE, commits_and(is_cut_short), id="a write happens, and its answer ends in the middle"),
]
GOING = [
    pytest.param(DELETE, BUSY, id="a busy server"),
    pytest.param(DELETE, answers(500, LEADER), id="a change of leaders"),
    pytest.param(DELETE, STALE, id="it comes too late"),
    pytest.param(DELETE, hangs_up, id="it is cut"),
    pytest.param(DELETE, commits_and(GATEWAY), id="it happens, and a gateway gives it up"),
    pytest.param(DELETE, commits_and(hangs_up), id="it happens, and its answer is cut"),
    pytest.param(DELETE, commits_and(STALE), id="it happens, and the client's own second try comes too late"),
]


def settings(namespace: str, **data: str) -> Object:
    return make("ConfigMap", namespace, "settings", data=data)


def named(namespace: str) -> Name:
    return Name("ConfigMap", namespace, "settings")


@pytest.mark.parametrize(("of", "act"), FAULTS)
async def test_what_is_applied_stands_and_was_made_once(front: Front, of: str, act: Act) -> None:
    front.proxy.faults = [Fault(act, of, times=2)]
    applied = await front.cluster.apply(settings(front.namespace, colour="red"))
    live = await front.direct.read(named(front.namespace))
    assert live is not None
    assert (applied.created, applied.uid, live["data"]) == (True, live["metadata"]["uid"], {"colour": "red"})
    assert {*front.proxy.versions[path_of(named(front.namespace))]} == {live["metadata"]["resourceVersion"]}
    assert front.proxy.faults[0].times == 0


@pytest.mark.parametrize(("of", "act"), FAULTS)
async def test_what_is_changed_was_changed_once(front: Front, of: str, act: Act) -> None:
    await front.direct.apply(settings(front.namespace, colour="red"))
    front.proxy.faults = [Fault(act, of)]
    applied = await front.cluster.apply(settings(front.namespace, colour="blue"))
    live = await front.direct.read(named(front.namespace))
    assert live is not None
    assert (applied.created, live["data"]) == (False, {"colour": "blue"})
    assert {*front.proxy.versions[path_of(named(front.namespace))]} == {live["metadata"]["resourceVersion"]}


@pytest.mark.parametrize(("of", "act"), GOING)
async def test_what_is_removed_is_gone_and_was_ours(front: Front, of: str, act: Act) -> None:
    await front.direct.apply(settings(front.namespace, colour="red"))
    front.proxy.faults = [Fault(act, of, times=1)]
    assert await front.cluster.remove(named(front.namespace), lambda _: True)
    assert await front.direct.read(named(front.namespace)) is None
    assert not await front.cluster.remove(named(front.namespace), lambda _: True)


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        pytest.param(BUSY, Unreachable, "is busy: too many requests", id="busy for good"),
        pytest.param(answers(500, LEADER), Unreachable, LEADER, id="without a leader for good"),
        pytest.param(answers(503, "not ready"), Unreachable, "not ready", id="not ready for good"),
        pytest.param(hangs_up, Unreachable, "does not answer", id="cut off for good"),
        pytest.param(shows_a_page, Unreachable, "We will be back soon", id="replaced for good"),
        pytest.param(STALE, Transient, "keeps changing", id="too late for good"),
    ],
)
async def test_what_does_not_pass_is_said_and_nothing_stands(
    front: Front, act: Act, kind: type[PipelineError], said: str
) -> None:
    front.proxy.faults = [Fault(act, WRITE, times=FOREVER)]
    with pytest.raises(kind, match=said) as raised:
        await front.cluster.apply(settings(front.namespace, colour="red"))
    assert type(raised.value).code == kind.code
    assert await front.direct.read(named(front.namespace)) is None


async def test_a_write_that_was_lost_never_takes_what_somebody_else_made(front: Front) -> None:
    async def somebody_is_faster(one: Proxy, request: object) -> object:
        theirs = settings(front.namespace, colour="green")
        theirs["metadata"]["labels"]["plugin-pipeline.io/installation"] = "two"
        await front.direct.apply(theirs)
        return await hangs_up(one, request)  # type: ignore[arg-type]

    front.proxy.faults = [Fault(somebody_is_faster, WRITE)]  # type: ignore[arg-type]
    with pytest.raises(Refused, match="belongs to installation two"):
        await front.cluster.apply(settings(front.namespace, colour="red"))
