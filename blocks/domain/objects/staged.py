"""The route of one stage: a share of the requests for the new revision, and whoever else is to meet it.

To add a way of meeting it: a field of `Stage`, and the rule or filter for it here.
"""

from blocks.domain.match import CookieMatch, HeaderMatch
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.routes import split
from blocks.domain.strategy import Stage


def staged(route: Object, before: Object, stage: Stage) -> Object:
    """The route for the stage's share of the requests, and the backends of the one before for the rest; both stay known to the gateway."""
    shared = split(route, before, stage.weight)
    rules = shared["spec"]["rules"]
    (mine,) = route["spec"]["rules"]
    asked = ([asked_by(stage.header)] if stage.header else []) + ([kept_by(stage.cookie)] if stage.cookie else [])
    if asked:
        rules = [mine | {"matches": asked}, *rules]
    if stage.mirror:
        rules = [rule | {"filters": [_copy_to(mine)]} for rule in rules]
    return shared | {"spec": shared["spec"] | {"rules": rules}}


def asked_by(header: HeaderMatch) -> Object:
    """The match of a rule for those requests."""
    return {"headers": [{"name": header.name, "value": header.value}]}


def kept_by(cookie: CookieMatch) -> Object:
    """The match of a rule for those who have the cookie."""
    return {"headers": [{"name": "cookie", "type": "RegularExpression", "value": cookie.expression}]}


def _copy_to(rule: Object) -> Object:
    """What sends a copy of each request to the rule's backend and throws the answer away."""
    (backend,) = rule["backendRefs"]
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": backend["name"], "port": backend["port"]}}}
