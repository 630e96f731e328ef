"""What is new for somebody who waits."""

import pytest

from blocks.domain.diagnosis import Sight, Trouble
from blocks.domain.outlook import News, last_news, news_since, sight_of
from tests.fakes.cluster import pod_case


def seen(name: str) -> Sight:
    case = pod_case(name)
    return Sight(case["deployment"], case["pods"], case["events"])


@pytest.mark.parametrize(
    ("case", "known", "news"),
    [
        pytest.param("ready", None, News(ready=True, pods=("it-r1-abc",)), id="it is ready"),
        pytest.param("ready", Trouble.CRASH, News(ready=True, pods=("it-r1-abc",)), id="it is ready after all"),
        pytest.param("starting", None, None, id="nothing is wrong, and nothing is new"),
        pytest.param("starting", Trouble.UNSCHEDULABLE, News(), id="what was wrong is over"),
        pytest.param("unschedulable", Trouble.UNSCHEDULABLE, None, id="what is known is not new"),
    ],
)
def test_news(case: str, known: Trouble | None, news: News | None) -> None:
    assert news_since(seen(case), known) == news


@pytest.mark.parametrize(
    ("case", "known", "trouble"),
    [
        pytest.param("unschedulable", None, Trouble.UNSCHEDULABLE, id="something is wrong"),
        pytest.param("unschedulable", Trouble.IMAGE, Trouble.UNSCHEDULABLE, id="something else is wrong"),
        pytest.param("crash", Trouble.CRASH, Trouble.CRASH, id="what was known has become certain"),
    ],
)
def test_bad_news(case: str, known: Trouble | None, trouble: Trouble) -> None:
    news = news_since(seen(case), known)
    assert news is not None
    assert news.diagnosis is not None
    assert news.diagnosis.trouble is trouble


def test_the_last_look_may_find_it_ready() -> None:
    assert last_news(seen("ready"), 9).ready


def test_the_last_look_finds_something_certain() -> None:
    found = last_news(seen("starting"), 9).diagnosis
    assert found is not None
    assert (found.trouble, found.patience) == (Trouble.NOT_READY, 0)


def test_events_about_others_are_left_out() -> None:
    names = ("it-r1", "it-r1-abc", "it-r10", "it")
    events = [{"regarding": {"name": name}} for name in names]
    sight = sight_of("it-r1", {"deployment": [], "pods": [], "events": [*events, {}]})
    assert [one["regarding"]["name"] for one in sight.events] == ["it-r1", "it-r1-abc"]
    assert sight.deployment is None
