"""Releases are tried newest first; what cannot be installed is passed over with its reason, and the end is always told."""

import pytest

from blocks.domain.errors import Unresolvable
from blocks.domain.release import PassedOver
from blocks.domain.resolution import (
    MOST_LEFT_OUT,
    NOBODY,
    Gap,
    Listing,
    Published,
    Search,
    all_passed_over,
    begin,
    is_exact,
    learn,
    rank_candidates,
    tell_why,
)

CHECKSUM = "sha512-x"


def listing(*versions: str, deprecated: tuple[str, ...] = (), unchecked: tuple[str, ...] = ()) -> Listing:
    """A plugin with these versions; `latest` is 1.2.0."""
    releases = [
        Published(one, "" if one in unchecked else CHECKSUM, "", "use another" if one in deprecated else "") for one in versions
    ]
    return Listing("plugin", tuple(releases), (("latest", "1.2.0"),))


def ranked(listed: Listing, wanted: str) -> list[str]:
    """The candidates' versions."""
    return [one.version for one in rank_candidates(listed, wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param("*", ["2.0.0", "1.10.0", "1.2.0"], id="newest first, by number and not by letter"),
        pytest.param("^1.0.0", ["1.10.0", "1.2.0"], id="within the range only"),
        pytest.param("1.2.0", ["1.2.0"], id="an exact version is alone"),
        pytest.param("latest", ["1.2.0"], id="a tag is the version it stands for"),
        pytest.param("^3.0.0-0", ["3.0.0-next.1"], id="prereleases where the range names one"),
        pytest.param("3.0.0-next.1", ["3.0.0-next.1"], id="a prerelease that is asked for"),
    ],
)
def test_ranks(wanted: str, expected: list[str]) -> None:
    """As npm would, but without its tags; what is no version is not seen."""
    assert ranked(listing("1.2.0", "1.10.0", "3.0.0-next.1", "2.0.0", "nonsense"), wanted) == expected


def test_deprecated_releases_come_last() -> None:
    """But they come."""
    assert ranked(listing("1.0.0", "1.1.0", "1.2.0", deprecated=("1.2.0", "1.1.0")), "*") == ["1.0.0", "1.2.0", "1.1.0"]


def test_releases_without_checksum_do_not_come() -> None:
    """What cannot be checked cannot be installed."""
    assert ranked(listing("1.0.0", "1.1.0", unchecked=("1.1.0",)), "*") == ["1.0.0"]


@pytest.mark.parametrize(
    ("listed", "wanted", "said"),
    [
        pytest.param(
            listing("1.0.0", "1.5.0", "2.5.0", "3.0.0"), "^2.0.0 <2.1.0", "1.5.0, 2.5.0, 3.0.0", id="the nearest are named"
        ),
        pytest.param(listing("1.0.0", "2.0.0"), "9.9.9", "the newest is 2.0.0", id="an exact version that is not there"),
        pytest.param(listing("1.0.0-next.1"), ">1", "1.0.0-next.1", id="only prereleases"),
        pytest.param(listing("1.0.0"), "<x.y", "neither a version nor a range nor a tag", id="no range at all"),
        pytest.param(listing(), "*", "nothing of it is published", id="nothing published"),
        pytest.param(listing("1.0.0-a"), "*", "the newest is 1.0.0-a", id="a range without a number"),
        pytest.param(listing("1.0.0", unchecked=("1.0.0",)), "*", "has a checksum", id="nothing that could be checked"),
    ],
)
def test_says_what_is_there_instead(listed: Listing, wanted: str, said: str) -> None:
    """With the range in the sentence."""
    with pytest.raises(Unresolvable, match="plugin") as raised:
        rank_candidates(listed, wanted)
    assert said in str(raised.value)
    assert wanted in str(raised.value)


def test_exact_versions_are_told_from_ranges() -> None:
    """Only of a range can something newer appear."""
    assert is_exact("1.2.3")
    assert not is_exact("1.x")
    assert not is_exact("latest")


def started(*versions: str) -> Search:
    """A search through these versions, newest first."""
    return begin(rank_candidates(listing(*versions), "*"))


OLD = Gap("leaf@^2", (("plugin", "2.0.0"), ("mid", "1.1.0")))


def test_a_release_among_the_dependencies_is_left_out() -> None:
    """And the candidate stays."""
    search = learn(started("2.0.0", "1.0.0"), "plugin", OLD)
    assert search.candidate.version == "2.0.0"
    assert search.excluded == {"mid": ["1.1.0"]}


def test_exclusions_are_ordered_by_age() -> None:
    """The hook that narrows ranges counts on it."""
    search = started("2.0.0")
    for version in ("1.10.0", "1.9.0"):
        search = learn(search, "plugin", Gap("leaf@^2", (("plugin", "2.0.0"), ("mid", version))))
    assert search.excluded == {"mid": ["1.9.0", "1.10.0"]}


@pytest.mark.parametrize(
    "gap",
    [
        pytest.param(Gap("leaf@^2", (("plugin", "2.0.0"),)), id="the candidate needs what is not published"),
        pytest.param(Gap("plugin@2.0.0", ()), id="the candidate vanished meanwhile"),
    ],
)
def test_a_candidate_at_fault_is_passed_over(gap: Gap) -> None:
    """With its reason, and what was left out for it is open again."""
    search = learn(learn(started("2.0.0", "1.0.0"), "plugin", OLD), "plugin", gap)
    assert (search.candidate.version, search.excluded) == ("1.0.0", {})
    assert search.passed_over == (PassedOver("2.0.0", f"needs {gap.missing}, which is not published"),)


def test_ranges_that_we_narrowed_are_not_shown() -> None:
    """A person never wrote them."""
    gap = Gap(f"@scope/mid@^1 <1.1.0 || {NOBODY}", (("plugin", "2.0.0"), ("top", "1.0.0")))
    ((_, _, reason),) = learn(started("2.0.0"), "plugin", gap).left_out
    assert reason == "needs @scope/mid, no release of which can be installed and fits"


def full(search: Search) -> Search:
    """The search with as many releases left out as may be."""
    for patch in range(MOST_LEFT_OUT):
        search = learn(search, "plugin", Gap("leaf@^2", (("plugin", "2.0.0"), ("mid", f"1.0.{patch}"))))
    return search


@pytest.mark.parametrize(
    ("search", "gap", "said"),
    [
        pytest.param(started("2.0.0"), Gap("leaf@^2", (("plugin", "2.0.0"),)), "2.0.0 needs leaf@^2", id="no candidate is left"),
        pytest.param(started("2.0.0"), Gap("host@>=1", ()), "the image itself needs host@>=1", id="the runtime's own need"),
        pytest.param(learn(started("2.0.0"), "plugin", OLD), OLD, "ask for an older version", id="leaving out did not help"),
        pytest.param(full(started("2.0.0")), OLD, "ask for an older version", id="there is a bound"),
    ],
)
def test_the_end_is_told(search: Search, gap: Gap, said: str) -> None:
    """With what was tried."""
    with pytest.raises(Unresolvable) as raised:
        learn(search, "plugin", gap)
    assert said in str(raised.value)


def test_why_names_everything_that_was_given_up() -> None:
    """In one sentence."""
    search = learn(started("2.0.0", "1.0.0"), "plugin", Gap("leaf@^2", (("plugin", "2.0.0"),)))
    search = learn(search, "plugin", Gap("leaf@^2", (("plugin", "1.0.0"), ("mid", "1.1.0"))))
    assert tell_why(search, "*") == (
        "1.0.0 is the newest release satisfying * whose dependencies are all published; 2.0.0 was passed over; "
        "among its dependencies mid 1.1.0 was left out, because it needs leaf@^2, which is not published"
    )
    assert [one.version for one in all_passed_over(search)] == ["2.0.0", "mid@1.1.0"]


@pytest.mark.parametrize(
    ("chosen", "wanted", "said"),
    [
        pytest.param(Published("1.0.0", CHECKSUM, ""), "1.0.0", "was asked for", id="an exact version"),
        pytest.param(Published("1.0.0", CHECKSUM, ""), "1.x", "newest release satisfying 1.x, and", id="a range"),
        pytest.param(Published("1.0.0", CHECKSUM, "", "use 2"), "1.x", "deprecates it: use 2", id="a deprecated release"),
        pytest.param(Published("1.0.0", "sha1-x", ""), "1.x", "only a sha1 checksum", id="a weak checksum"),
    ],
)
def test_why(chosen: Published, wanted: str, said: str) -> None:
    """Says what a person should know of the choice."""
    assert said in tell_why(Search(chosen), wanted)
