"""What answers at the plugin's own address is what was installed, or the operation fails."""

import pytest

from blocks.domain.errors import Transient, VerificationFailed
from blocks.ports.cluster import Reply
from tasks import verify as task
from tasks.verify import verify
from tests.tasks.carried import Carried, ScriptedWeb, body

RIGHT = Reply(200, {"x-plugin-release": "hello@1.2.3"}, "")
OLD = Reply(200, {"x-plugin-release": "hello@1.2.2"}, "")
MISSING = Reply(404, {}, "")


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([RIGHT], id="it answers at once"),
        pytest.param([MISSING, RIGHT], id="the gateway follows a little later"),
        pytest.param([Transient("away"), OLD, RIGHT], id="something else answered before"),
        pytest.param([Reply(200, {}, '{"version": "1.2.3"}')], id="a service says its version"),
    ],
)
async def test_the_right_release_is_verified(carried: Carried, answers: list[Reply | Exception]) -> None:
    web = carried.tools.web = ScriptedWeb(answers)
    plan = await carried.plan()
    verified = await body(verify)(carried.work, plan)
    assert verified.release == "hello@1.2.3"
    assert set(web.asked) == {(plan.host, "/hello")}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(OLD, "should say hello@1.2.3, and says hello@1.2.2", id="another release"),
        pytest.param(MISSING, "status 404 without a release", id="nothing there"),
        pytest.param(Reply(200, {}, "hello"), "status 200 without a release", id="something that says nothing"),
        pytest.param(Transient("no route"), "nothing: no route", id="no answer at all"),
    ],
)
async def test_anything_else_fails(
    carried: Carried, monkeypatch: pytest.MonkeyPatch, answer: Reply | Exception, said: str
) -> None:
    monkeypatch.setattr(task, "PAUSES", (0.01, 0.01))
    web = carried.tools.web = ScriptedWeb([answer])
    plan = await carried.plan()
    with pytest.raises(VerificationFailed, match=said):
        await body(verify)(carried.work, plan)
    assert len(web.asked) == 3
