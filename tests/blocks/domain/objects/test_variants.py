"""A route on which everybody keeps the variant that they met first."""

import re
from typing import Any

import pytest

from blocks.domain.experiment import Experiment
from blocks.domain.match import HeaderMatch
from blocks.domain.objects.routes import http_route
from blocks.domain.objects.variants import variants
from tests.blocks.domain.objects.blueprints import make_blueprint

OLD, NEW = (http_route(make_blueprint(revision=number)) for number in (1, 2))
NAMES = ["backstage-plugin-catalog-r2", "backstage-plugin-catalog-r1"]


def rules(**said: Any) -> list[Any]:
    made = variants(NEW, OLD, Experiment(share=30, cookie="mine", duration=600, interval=10, **said))
    assert {key: made[key] for key in made if key != "spec"} == {key: NEW[key] for key in NEW if key != "spec"}
    found: list[Any] = made["spec"]["rules"]
    return found


def test_every_rule_has_both_backends_and_those_with_a_cookie_are_sent_to_one() -> None:
    shares = [[(one["name"], one["weight"]) for one in rule["backendRefs"]] for rule in rules()]
    assert shares == [[*zip(NAMES, weights, strict=True)] for weights in ((100, 0), (0, 100), (30, 70))]


def test_who_sends_the_header_meets_the_new_one_whatever_cookie_they_have() -> None:
    first, *_ = rules(header=HeaderMatch(name="x-try", value="next"))
    assert first["matches"] == [{"headers": [{"name": "x-try", "value": "next"}]}]
    assert [one["weight"] for one in first["backendRefs"]] == [100, 0]


def test_who_has_no_cookie_is_given_that_of_the_variant_they_met_beside_those_of_the_plugin() -> None:
    *_, last = rules()
    assert "matches" not in last
    given = [one["filters"] for one in last["backendRefs"]]
    assert given == [
        [
            {
                "type": "ResponseHeaderModifier",
                "responseHeaderModifier": {"add": [{"name": "Set-Cookie", "value": f"mine={NAMES[0]}.{variant}; {RULES}"}]},
            }
        ]
        for variant in ("b", "a")
    ]


RULES = "Path=/; Max-Age=600; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("cookie", "share"),
    [
        pytest.param(f"mine={NAMES[0]}.b", 100, id="alone"),
        pytest.param(f"x=1; mine={NAMES[0]}.b; y=2", 100, id="among others"),
        pytest.param(f"x=1;mine={NAMES[0]}.a", 0, id="without a space"),
        pytest.param(f"mine={NAMES[1]}.b", 30, id="that of another test is none"),
        pytest.param(f"yours-mine={NAMES[0]}.b", 30, id="a name that ends alike is none"),
        pytest.param(f"mine={NAMES[0]}.bb", 30, id="a value that begins alike is none"),
        pytest.param(f"mine={NAMES[0]}-b", 30, id="a dot is a dot"),
        pytest.param("", 30, id="none at all"),
    ],
)
def test_a_cookie_is_known_by_its_whole_name_and_value(cookie: str, share: int) -> None:
    rule = next(one for one in rules() if "matches" not in one or re.fullmatch(named(one), cookie))
    assert rule["backendRefs"][0]["weight"] == share


def named(rule: Any) -> str:
    """The expression for the cookies of those that the rule is for."""
    ((header,),) = (match["headers"] for match in rule["matches"])
    assert (header["name"], header["type"]) == ("cookie", "RegularExpression")
    return str(header["value"])
