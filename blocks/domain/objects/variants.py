"""A route on which everybody keeps the variant that they met first: the revision that serves (A), or the new one (B)."""

from typing import Any

from blocks.domain.experiment import Experiment
from blocks.domain.match import CookieMatch
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.routes import split
from blocks.domain.objects.staged import asked_by, kept_by

A, B = "a", "b"


def variants(route: Object, before: Object, experiment: Experiment) -> Object:
    """The route of both: who sends the header meets B, who has a cookie its variant, and everybody else one of them, and its cookie.

    Of two rules that match equally well a gateway takes the first. Every rule has the backends of both, for the reason `split` gives.
    """
    rules = [
        *_forced(split(route, before, 100), experiment),
        _kept(split(route, before, 100), experiment, B),
        _kept(split(route, before, 0), experiment, A),
        _marked(split(route, before, experiment.share), experiment),
    ]
    return route | {"spec": route["spec"] | {"rules": rules}}


def value_of(route: Object, variant: str) -> str:
    """The cookie's value: it names the new revision, so that a cookie of another test is none of this one."""
    return f"{_rule(route)['backendRefs'][0]['name']}.{variant}"


def _forced(route: Object, experiment: Experiment) -> list[Any]:
    if experiment.header is None:
        return []
    return [_rule(route) | {"matches": [asked_by(experiment.header)]}]


def _kept(route: Object, experiment: Experiment, variant: str) -> Any:
    """The rule for those who have the variant's cookie, wherever it stands among others."""
    return _rule(route) | {"matches": [kept_by(CookieMatch(name=experiment.cookie, value=value_of(route, variant)))]}


def _marked(route: Object, experiment: Experiment) -> Any:
    """The rule in which each backend gives its cookie; it adds a header and replaces none, because plugins have cookies of their own."""
    new, old = _rule(route)["backendRefs"]
    backends = [_giving(new, experiment, value_of(route, B)), _giving(old, experiment, value_of(route, A))]
    return _rule(route) | {"backendRefs": backends}


def _giving(backend: Any, experiment: Experiment, value: str) -> Any:
    cookie = f"{experiment.cookie}={value}; Path=/; Max-Age={experiment.duration}; HttpOnly; SameSite=Lax"
    given = {"add": [{"name": "Set-Cookie", "value": cookie}]}
    return backend | {"filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": given}]}


def _rule(route: Object) -> Any:
    (rule,) = route["spec"]["rules"]
    return rule
