"""People who use a plugin while it is updated: each request on a connection of its own, so many a second, for as long as a block runs."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import exp, lgamma, log, log1p
from types import MappingProxyType
from typing import Any

import httpx

# Requests a second, and how many there are at most, whatever happens: as long as a test may last.
RATE, MOST = 50, 30_000
# Seconds: who waits longer was failed. That a busy machine stands still for some says nothing of the plugin.
TIMEOUT = 30
# So many in a row who met one release alone are no chance where another has a fifth of the requests.
CERTAIN = 100
# How long answers are waited for, and how often it is looked, in seconds.
PATIENCE, LOOK_EVERY = 60, 0.1
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """When it was asked and answered (seconds since 1970), the status (0: there was no answer), and the release that says it did."""

    at: float
    over: float
    status: int
    release: str
    text: str

    @property
    def failed(self) -> bool:
        """Whether a person noticed."""
        return self.status != 200


class Traffic:
    """What was asked and answered so far."""

    def __init__(self, url: str, headers: Mapping[str, str], rate: int = RATE) -> None:
        self._url, self._headers, self._rate = url, headers, rate
        self.answers: list[Answer] = []
        self._over = threading.Event()

    def between(self, begin: float, end: float) -> list[Answer]:
        """What was asked and answered from one instant to the other."""
        return [one for one in self.answers if begin <= one.at and one.over < end]

    def led_to(self, release: str, since: float) -> list[Answer]:
        """What was asked from the first of so many in a row on who met this release alone: nobody may meet another after them.

        How long a gateway takes to follow says no clock of ours.
        """
        asked, row = sorted((one for one in self.answers if one.at > since), key=lambda one: one.at), 0
        for number, one in enumerate(asked, 1):
            row = row + 1 if one.release == release else 0
            if row == CERTAIN:
                return asked[number - CERTAIN :]
        raise AssertionError(f"{len(asked)} asked and were never led to {release} alone")

    def await_answers(self, since: float, count: int) -> None:
        """Return once so many who asked after the instant were answered."""
        ends = time.monotonic() + PATIENCE
        while len(self.between(since, time.time())) < count:
            assert time.monotonic() < ends, "there was no traffic"
            time.sleep(LOOK_EVERY)

    def run(self) -> None:
        """Ask until it is over."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()

    async def _run(self) -> None:
        begin, fresh = time.monotonic(), httpx.Limits(max_keepalive_connections=0)
        # Everybody is somebody else: nobody keeps the cookie that another one was given.
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        options: dict[str, Any] = {"trust_env": False, "timeout": TIMEOUT, "limits": fresh, "cookies": nothing}
        async with httpx.AsyncClient(**options) as client, asyncio.TaskGroup() as asking:
            for turn in range(MOST):
                await asyncio.sleep(max(begin + turn / self._rate - time.monotonic(), 0))
                if self._over.is_set():
                    return
                asking.create_task(self._ask(client))

    async def _ask(self, client: httpx.AsyncClient) -> None:
        at = time.time()
        try:
            answer = await client.get(self._url, headers=self._headers)
            self.answers.append(
                Answer(at, time.time(), answer.status_code, answer.headers.get("x-plugin-release", ""), answer.text)
            )
        except httpx.HTTPError as problem:
            self.answers.append(Answer(at, time.time(), 0, "", f"{type(problem).__name__}: {problem}"))


@contextmanager
def using(gateway: str, host: str, path: str, headers: Mapping[str, str] = NOTHING, rate: int = RATE) -> Iterator[Traffic]:
    """People use the path of the host until the block ends; all of them send the headers."""
    traffic = Traffic(f"{gateway}{path}", {"Host": host, **headers}, rate)
    people = threading.Thread(target=traffic.run)
    people.start()
    try:
        yield traffic
    finally:
        traffic.stop()
        people.join()


def is_likely(hits: int, of: int, share: float, alarm: float) -> bool:
    """Whether so many hits are no surprise where each is one with this probability; a true share is doubted as often as `alarm` says."""
    if share == 1:
        return hits == of
    # In logarithms: the ways to choose among a thousand are more than a float can hold.
    whole, yes, no = lgamma(of + 1), log(share), log1p(-share)
    chances = [exp(whole - lgamma(one + 1) - lgamma(of - one + 1) + one * yes + (of - one) * no) for one in range(of + 1)]
    return min(sum(chances[: hits + 1]), sum(chances[hits:])) > alarm / 2
