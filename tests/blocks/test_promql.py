"""The questions about a revision come to the right numbers: in Prometheus's own engine, and in the one that stands for it in tests."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from blocks.domain.analysis import Analysis, Metric
from blocks.domain.comparison import window_beside
from blocks.domain.metrics import ask_for
from blocks.domain.questions import ask_about, cluster_of
from tests.fakes.metrics import MemoryMetrics

CASES = json.loads((Path(__file__).parents[1] / "cases/metrics/counters.json").read_text())
CLUSTER, OTHER = cluster_of("default-dev", "hello-r2", 8080), cluster_of("default-dev", "hello-r1", 8080)
EVERY = 5
# The weight came in force just after the second scrape; the fourth is the last before the instant.
QUESTIONS = ask_about(CLUSTER, Analysis(latency_ms=500), since=6, instant=17)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])


def series(name: str, labels: dict[str, Any], readings: Sequence[int | None]) -> dict[str, str]:
    """A series as promtool writes it; where a scrape failed Prometheus knows that the series went stale."""
    named = ",".join(f'{key}="{value}"' for key, value in labels.items())
    seen = [any(one is not None for one in readings[:place]) for place in range(len(readings))]
    values = " ".join(str(one) if one is not None else "stale" if was else "_" for one, was in zip(readings, seen, strict=True))
    return {"series": f"{name}{{{named}}}", "values": values}


def answers(
    folder: Path, readings: list[dict[str, str]], expected: Mapping[str, float | None]
) -> subprocess.CompletedProcess[str]:
    """What Prometheus's engine says of the queries and the numbers that are expected of them."""
    wanted = [
        {"expr": query, "eval_time": f"{QUESTIONS.at:.0f}s"}
        | {"exp_samples": [] if number is None else [{"labels": "{}", "value": number}]}
        for query, number in expected.items()
    ]
    file = folder / "test.yaml"
    tests = [{"interval": f"{EVERY}s", "input_series": readings, "promql_expr_test": wanted}]
    file.write_text(yaml.safe_dump({"evaluation_interval": f"{EVERY}s", "tests": tests}))
    return subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.world
@each
def test_in_prometheus(tmp_path: Path, case: dict[str, Any]) -> None:
    readings = [
        series("envoy_cluster_upstream_rq_xx", {"envoy_cluster_name": cluster, "envoy_response_code_class": kind}, numbers)
        for cluster, counters in ((CLUSTER, case["counters"]), (OTHER, {"2": [0, 1000, 2000, 3000], "5": [0, 1, 2, 3]}))
        for kind, numbers in counters.items()
    ]
    said = answers(tmp_path, readings, {QUESTIONS.requests: case["requests"], QUESTIONS.succeeded: case["succeeded"]})
    assert said.returncode == 0, said.stdout + said.stderr


@each
async def test_in_memory(case: dict[str, Any]) -> None:
    metrics = MemoryMetrics()
    for place in range(max(map(len, case["counters"].values()), default=0)):
        read = {kind: numbers[place] for kind, numbers in case["counters"].items()}
        metrics.scrape(CLUSTER, place * EVERY, {kind: number for kind, number in read.items() if number is not None})
        metrics.scrape(OTHER, place * EVERY, {"2": 1000 * place})
    found = [await metrics.ask(query, QUESTIONS.at) for query in (QUESTIONS.requests, QUESTIONS.succeeded)]
    assert found == [case["requests"], case["succeeded"]]


# The fourth scrape is the last before the instant, the second the last before the window.
OWN = Metric(name="errors", query='sum(rate(errors_total{code="{{code}}"}[{{window}}]))', max=1, args={"code": "500"})


@pytest.mark.world
def test_a_metric_of_the_requests_own_in_prometheus(tmp_path: Path) -> None:
    """Its places are filled with what Prometheus reads: 20 more in the 10 seconds of its window, of the two codes one."""
    asked = ask_for(OWN, {}, since=4, instant=16)
    readings = [series("errors_total", {"code": code}, [0, 10, 20, 30]) for code in (500, 503)]
    said = answers(tmp_path, readings, {asked.query: 2.0})
    assert (asked.query, asked.at) == ('sum(rate(errors_total{code="500"}[11s]))', 15)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.world
def test_the_revision_that_serves_is_asked_about_in_prometheus(tmp_path: Path) -> None:
    """Where nobody meets it any more, about as long a time just before: here nine seconds."""
    beside = ask_about(OTHER, Analysis(), *window_beside(100, QUESTIONS.at + 1, QUESTIONS.at + 11))
    labels = {"envoy_cluster_name": OTHER, "envoy_response_code_class": "2"}
    said = answers(tmp_path, [series("envoy_cluster_upstream_rq_xx", labels, [0, 100, 300, 600])], {beside.requests: 500.0})
    assert beside.at == QUESTIONS.at
    assert said.returncode == 0, said.stdout + said.stderr


BUCKETS = "envoy_cluster_upstream_rq_time_bucket"
OF_ALL = {"50": 0, "100": 50, "1000": 100, "+Inf": 100}


@pytest.mark.world
@pytest.mark.parametrize(
    ("before", "latency"),
    [
        # 50 of the 100 that were new took up to 100 ms, the others up to a second: the 99th lies at 98 % of that bucket.
        pytest.param([None, None], 982.0, id="of a histogram that is new"),
        pytest.param([7, 7], 982.0, id="of what grew alone"),
    ],
)
def test_latency_in_prometheus(tmp_path: Path, before: list[int | None], latency: float) -> None:
    """Envoy's buckets, of which one of every cluster is asked for."""
    had = before[0] or 0
    readings = [
        series(BUCKETS, {"envoy_cluster_name": CLUSTER, "le": le}, [*before, had + number, had + number])
        for le, number in OF_ALL.items()
    ]
    said = answers(tmp_path, readings, {QUESTIONS.latency: latency})
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.world
def test_latency_where_nobody_was_answered_is_not_known(tmp_path: Path) -> None:
    none = {QUESTIONS.latency: None}
    assert answers(tmp_path, [], none).returncode == 0
    standing = [series(BUCKETS, {"envoy_cluster_name": CLUSTER, "le": le}, [3, 3, 3, 3]) for le in OF_ALL]
    assert "NaN" in answers(tmp_path, standing, none).stderr
