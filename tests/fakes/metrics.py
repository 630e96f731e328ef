"""Prometheus in memory: what Envoy's counters read at each scrape, and the answers to the questions about them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

LOOKBACK = 300
CLUSTER = re.compile(r'envoy_cluster_name="(?P<name>[^"]+)".* offset (?P<seconds>\d+)s')


@dataclass(frozen=True)
class Scrape:
    """What the counters of one cluster read, by the class of the answers, and how long the slowest percent took."""

    at: float
    counters: Mapping[str, int]
    latency_ms: float | None = None


@dataclass
class MemoryMetrics:
    """Implements `blocks.ports.metrics.Metrics` for the questions of `blocks.domain.questions`, and for what it is told in `says`.

    It knows nothing else of PromQL, and reads latencies as they were told where Prometheus works them out from what grew.
    """

    scrapes: dict[str, list[Scrape]] = field(default_factory=lambda: defaultdict(list))
    says: dict[str, Callable[[float], float | None] | Exception] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)
    fails: Exception | None = None

    def scrape(self, cluster: str, at: float, counters: Mapping[str, int], latency_ms: float | None = None) -> None:
        """Let the counters read so at that time, later than any before; an empty reading is a cluster that is gone."""
        self.scrapes[cluster].append(Scrape(at, dict(counters), latency_ms))

    async def ask(self, query: str, at: float) -> float | None:
        """The answer as of the instant."""
        self.asked.append((query, at))
        told = self.fails or self.says.get(query)
        if isinstance(told, Exception):
            raise told
        if told is not None:
            return told(at)
        named = CLUSTER.search(query)
        return self._answer(query, named["name"], (at, at - int(named["seconds"]))) if named else None

    def _answer(self, query: str, cluster: str, ends: tuple[float, float]) -> float | None:
        now, since = ends
        last = next(self._before(cluster, now), None)
        if last is None or "histogram_quantile" in query:
            return last.latency_ms if last else None
        classes = [one for one in last.counters if one != "5" or '!="5"' not in query]
        grown = [(last.counters[one], last.counters[one] - self._began(cluster, one, since)) for one in classes]
        return float(sum(more if more >= 0 else whole for whole, more in grown)) if grown else None

    def _began(self, cluster: str, kind: str, since: float) -> int:
        return next((one.counters[kind] for one in self._before(cluster, since) if kind in one.counters), 0)

    def _before(self, cluster: str, at: float) -> Iterator[Scrape]:
        return (one for one in reversed(self.scrapes[cluster]) if at - LOOKBACK < one.at <= at)
