"""Two variants compared by what they answered, however often somebody looks: the statistics of an A/B test, by SciPy.

How many of the good answers between two looks are B's, given how many requests each variant had and how many answers were good in
all, does not depend on how good both are, only on the odds ratio (Fisher's hypergeometric distribution; Mantel and Haenszel's strata). So
what befalls both alike, an outage or a busy hour, says nothing of their difference. The Bayes factor sets how likely that was, mixed
over odds ratios, against how likely it was if they are equal. If they are, it is a martingale, and by Ville's inequality it ever comes to
1/alpha in no more than alpha of all tests, however long they are and whoever looks whenever (Robbins 1970): so a test may stop as soon
as it does. An odds ratio that is ruled out in the same way is outside the interval, which therefore holds at all looks together, too.

What is taken for granted: requests that fail each by themselves. Few users who send many alike make it more certain than it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from blocks.lazily import lazily

# They take half a second to load, and most runs compare nothing.
numpy: Any = lazily("numpy")
scipy: Any = lazily("scipy")
# Logarithms of the odds ratios that are told apart, from 1/3000 to 3000: that changes no false alarm, only how soon one is sure.
FURTHEST, STEPS = 8.0, 321
# The largest logarithm of a number that JSON can carry.
MOST = 700.0


@dataclass(frozen=True)
class Count:
    """How many requests a variant answered, and how many of them well."""

    requests: int = 0
    succeeded: int = 0

    @property
    def rate(self) -> float:
        """The share of good answers, of one request at least."""
        return self.succeeded / self.requests

    def since(self, before: "Count") -> "Count":
        """What was counted after the other count; one that began anew counts from nothing."""
        more = Count(self.requests - before.requests, self.succeeded - before.succeeded)
        return more if 0 <= more.succeeded <= more.requests else self


# What A and B have answered.
Pair: TypeAlias = tuple[Count, Count]


@dataclass(frozen=True)
class Comparison:
    """What two variants have answered, and what that says of B against A.

    `odds_ratio` is that of good answers, more than 1 where B is better, and `low` and `high` are its bounds. They and `p_value` hold at all
    looks together.
    """

    a: Count
    b: Count
    alpha: float
    odds_ratio: float
    low: float
    high: float
    bayes_factor: float
    p_value: float

    @property
    def is_certain(self) -> bool:
        """Whether the variants differ; where they do not, this is ever said in no more than alpha of all tests."""
        return self.p_value <= self.alpha

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        return (
            f"success rate {self.b.rate:.4f} of {self.b.requests} requests against {self.a.rate:.4f} of {self.a.requests}: "
            f"odds ratio {self.odds_ratio:.3g} ({self.low:.3g} to {self.high:.3g}), "
            f"Bayes factor {self.bayes_factor:.3g}, p {self.p_value:.2g}, alpha {self.alpha:g}"
        )


def compare(looks: Sequence[Pair], alpha: float) -> Comparison:
    """What the counts of one look after the other say; each is of all requests since the test began, the last of some for both."""
    steps = zip([(Count(), Count()), *looks], looks, strict=False)
    known = sum(log_likelihoods(a.since(a_before), b.since(b_before)) for (a_before, b_before), (a, b) in steps)
    odds, mixed = log_odds(), log_mixed(known)
    likely = numpy.exp(known + log_prior() - mixed)
    left = odds[mixed - known < -math.log(alpha)]
    evidence = float(mixed - known[STEPS // 2])
    return Comparison(
        *looks[-1],
        alpha,
        odds_ratio=math.exp(float(likely @ odds)),
        low=math.exp(float(left[0])),
        high=math.exp(float(left[-1])),
        bayes_factor=math.exp(min(evidence, MOST)),
        p_value=min(1.0, math.exp(-evidence)),
    )


# At each look all that were before are looked at again.
@lru_cache(maxsize=4096)
def log_likelihoods(a: Count, b: Count) -> Any:
    """How likely it is for each odds ratio that of all good answers so many are B's, as logarithms."""
    good = a.succeeded + b.succeeded
    shares = numpy.arange(max(0, good - a.requests), min(good, b.requests) + 1)
    ways = _ways(b.requests, shares) + _ways(a.requests, good - shares)
    each = ways + numpy.outer(log_odds(), shares)
    return each[:, b.succeeded - shares[0]] - scipy.special.logsumexp(each, axis=1)


def log_mixed(known: Any) -> Any:
    """The logarithm of the likelihood mixed over the odds ratios, which are the last dimension."""
    return scipy.special.logsumexp(known + log_prior(), axis=-1)


def log_odds() -> Any:
    """The logarithms of the odds ratios, equal ones in the middle."""
    return numpy.linspace(-FURTHEST, FURTHEST, STEPS)


def log_prior() -> Any:
    """How the odds ratios are mixed: by a normal distribution of their logarithm, so that one of e is nothing out of the way."""
    return scipy.special.log_softmax(-(log_odds() ** 2) / 2)


def _ways(whole: int, part: Any) -> Any:
    """The logarithms of the numbers of ways to choose so many."""
    return -scipy.special.betaln(whole - part + 1, part + 1) - math.log(whole + 1)
