"""What two counts say of each other, and that looking at them again and again makes no false alarms."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from scipy import stats

from blocks.domain.sequential import STEPS, Count, Pair, compare, log_likelihoods, log_mixed, log_odds

ALPHA = 0.05
TESTS, LOOKS = 2000, 60
# A right bound is broken once in a million times.
ALARM = 1e-6
NOBODY: Pair = (Count(), Count())


def test_the_likelihood_is_that_of_fishers_noncentral_hypergeometric_distribution() -> None:
    a, b = Count(50, 45), Count(40, 30)
    told = stats.nchypergeom_fisher.logpmf(30, 90, 40, 75, np.exp(log_odds()))
    assert log_likelihoods(a, b) == pytest.approx(told)


@pytest.mark.parametrize(
    ("looks", "certain", "better"),
    [
        pytest.param([(Count(100, 60), Count(100, 99))], True, True, id="far better"),
        pytest.param([(Count(100, 99), Count(100, 60))], True, False, id="far worse"),
        pytest.param([(Count(100, 98), Count(100, 99))], False, True, id="hardly better"),
        pytest.param([(Count(50, 48), Count(50, 42)), (Count(100, 97), Count(100, 83))], True, False, id="worse and worse"),
        pytest.param([(Count(9, 9), Count(9, 8)), (Count(200, 20), Count(200, 199))], True, True, id="better after all"),
    ],
)
def test_counts_are_compared(looks: Sequence[Pair], certain: bool, better: bool) -> None:  # noqa: FBT001
    found = compare(looks, ALPHA)
    assert (found.is_certain, found.odds_ratio > 1) == (certain, better)
    assert (found.a, found.b) == looks[-1]
    assert found.low < found.odds_ratio < found.high
    assert found.is_certain == (not found.low <= 1 <= found.high)
    assert found.bayes_factor * found.p_value == pytest.approx(1) or found.p_value == 1


def test_the_verdict_says_its_numbers() -> None:
    said = compare([(Count(1000, 990), Count(1000, 970))], ALPHA).sentence
    assert said.startswith("success rate 0.9700 of 1000 requests against 0.9900 of 1000: odds ratio 0.3")
    assert ", Bayes factor 40.3, p 0.025, alpha 0.05" in said


def test_as_many_of_both_say_nothing_where_all_are_good() -> None:
    found = compare([(Count(1000, 1000), Count(1000, 1000))], ALPHA)
    assert (found.bayes_factor, found.p_value) == pytest.approx((1, 1))


def test_an_outage_of_both_is_held_against_none() -> None:
    calm, outage = Count(900, 891), Count(1000, 891)
    found = compare([(calm, Count(100, 99)), (outage, Count(1000, 99))], ALPHA)
    assert not found.is_certain
    assert compare([(outage, Count(1000, 99))], ALPHA).is_certain


@pytest.mark.parametrize(
    ("before", "now", "more"),
    [
        pytest.param(Count(10, 9), Count(15, 12), Count(5, 3), id="what came on top"),
        pytest.param(Count(10, 9), Count(4, 3), Count(4, 3), id="a counter that began anew"),
        pytest.param(Count(10, 2), Count(10, 2), Count(0, 0), id="nothing"),
    ],
)
def test_what_was_counted_since(before: Count, now: Count, more: Count) -> None:
    assert now.since(before) == more


def simulate(rates: tuple[float, float], sizes: tuple[int, int], seed: int) -> np.ndarray:
    """For each test and each look how many answers of A and of B were good, of so many requests to each between two looks."""
    random = np.random.default_rng(seed)
    drawn = [random.binomial(size, rate, (TESTS, LOOKS)) for size, rate in zip(sizes, rates, strict=True)]
    return np.stack(drawn, axis=-1)


def certain_at_some_look(good: np.ndarray, sizes: tuple[int, int], alpha: float = ALPHA) -> int:
    """In how many of the tests the product's own likelihoods come to 1/alpha at any of the looks."""
    seen, which = np.unique(good.reshape(-1, 2), axis=0, return_inverse=True)
    told = np.stack([log_likelihoods(Count(sizes[0], int(a)), Count(sizes[1], int(b))) for a, b in seen])
    known, where, certain = np.zeros((TESTS, STEPS)), which.reshape(TESTS, LOOKS), np.zeros(TESTS, dtype=bool)
    for number in range(LOOKS):
        known += told[where[:, number]]
        certain |= log_mixed(known) - known[:, STEPS // 2] >= -np.log(alpha)
    return int(certain.sum())


def alarms_of_a_test_for_one_look(good: np.ndarray, sizes: tuple[int, int]) -> int:
    """In how many of the tests the usual comparison of two shares, which is made for one look, says at any look that they differ."""
    whole = np.outer(np.arange(1, LOOKS + 1), sizes)
    rates, common = good.cumsum(axis=1) / whole, good.cumsum(axis=1).sum(axis=-1) / whole.sum(axis=-1)
    spread = np.sqrt(np.maximum(common * (1 - common), 1e-12) * (1 / whole).sum(axis=-1))
    return int((np.abs(rates[..., 1] - rates[..., 0]) / spread > stats.norm.isf(ALPHA / 2)).any(axis=1).sum())


most = partial(stats.binom.isf, ALARM, TESTS)


@pytest.mark.parametrize(
    ("rate", "sizes"),
    [
        pytest.param(0.99, (25, 25), id="few failures"),
        pytest.param(0.8, (25, 25), id="many failures"),
        pytest.param(0.9, (45, 5), id="an uneven split"),
    ],
)
def test_peeking_at_every_look_makes_no_more_false_alarms_than_alpha(rate: float, sizes: tuple[int, int]) -> None:
    good = simulate((rate, rate), sizes, seed=6)
    assert certain_at_some_look(good, sizes) <= most(ALPHA)
    # The same looks with a test that is made for one: they would have shown it.
    assert alarms_of_a_test_for_one_look(good, sizes) > most(ALPHA)


def test_a_real_difference_is_found_in_most_tests() -> None:
    assert certain_at_some_look(simulate((0.95, 0.98), (25, 25), seed=6), (25, 25)) > 0.8 * TESTS
