"""Two plans have one hash exactly if an independent model says that people would agree to the same; whatever happens in between."""

import copy
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from blocks.domain.agreed import agree_on
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import is_shared, stamped
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.plan import describe_revision, hash_plan, objects_of, read_hashed, write_document
from blocks.domain.replaced import Replaced, see_live
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.blocks.domain.plans import DONE, VERDICT, make_replaced

SERVED = make_replaced()
OURS = ("Service/hello", "HTTPRoute/hello", "Deployment/hello-r1")


class Planning(RuleBasedStateMachine):
    """A person who changes a wish, somebody who changes the cluster, and plans made in between; the model is a dictionary of words."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, Any] = {}
        self.image, self.verdict, self.verb, self.serves = "a@1", "no secrets", "update", True
        self.live: dict[Name, Object] = {Name.of(one): stamped(copy.deepcopy(one), "op-1") for one in SERVED.objects}
        self.model: dict[str, Any] = {}
        self.hashes: dict[str, str] = {}

    @rule(replicas=st.integers(1, 3))
    def ask_for_replicas(self, replicas: int) -> None:
        self.asked["replicas"] = self.model["replicas"] = replicas

    @rule(value=st.integers(0, 2))
    def ask_for_configuration(self, value: int) -> None:
        self.asked["config"], self.model["config"] = {"b": value, "a": 1}, value

    @rule(number=st.integers(1, 3))
    def build_another_image(self, number: int) -> None:
        self.image = self.model["image"] = f"a@{number}"

    @rule(gate=st.sampled_from(["no secrets", "accepted"]))
    def judge_otherwise(self, gate: str) -> None:
        self.verdict = self.model["verdict"] = gate

    @rule(serves=st.booleans())
    def let_something_serve(self, *, serves: bool) -> None:
        self.serves = self.model["serves"] = serves

    @rule(name=st.sampled_from(OURS), value=st.integers(0, 2))
    def change_a_field_of_ours(self, name: str, value: int) -> None:
        for one in self._named(name):
            one["metadata"]["labels"]["app.kubernetes.io/name"] = str(value)
        self.model[name] = value if self._named(name) else self.model.get(name)

    @rule(name=st.sampled_from(OURS))
    def take_an_object_away(self, name: str) -> None:
        self.live = {key: one for key, one in self.live.items() if key.short != name}
        self.model[name] = "gone"

    @rule(name=st.sampled_from(OURS), text=st.text(max_size=3))
    def change_what_does_not_count(self, name: str, text: str) -> None:
        for one in self._named(name):
            one["metadata"] |= {"uid": text, "resourceVersion": text}
            one["metadata"]["labels"] |= {"theirs": text, "plugin-pipeline.io/operation": text}
            one["status"] = {"said": text}

    @rule()
    def let_somebody_make_what_is_shared(self) -> None:
        self.live |= {Name.of(one): stamped(copy.deepcopy(one), "other") for one in SERVED.objects if is_shared(one)}

    @rule()
    def take_what_is_shared_away(self) -> None:
        self.live = {name: one for name, one in self.live.items() if not is_shared(one)}

    @invariant()
    def one_hash_for_one_agreement(self) -> None:
        told = repr(sorted({**self._default(), **self.model}.items()))
        found = self._hash()
        assert self.hashes.setdefault(told, found) == found
        assert list(self.hashes.values()).count(found) == 1

    def _default(self) -> dict[str, Any]:
        """What holds as long as nobody says otherwise."""
        begun = {"replicas": 1, "config": None, "image": "a@1", "verdict": "no secrets", "serves": True}
        return begun | dict.fromkeys(OURS)

    def _named(self, name: str) -> list[Object]:
        return [one for key, one in self.live.items() if key.short == name]

    def _hash(self) -> str:
        served = SERVED if self.serves else Replaced()
        blueprint = replace(make_blueprint("service", revision=2, **self.asked), image=self.image)
        revision = describe_revision(blueprint, "", VERDICT | {"admitted_by": [self.verdict]})
        hashed = agree_on(revision, served, self.verb, ())
        # Whether it serves or not, the same objects are looked at here: what is gone is told by the model.
        hashed |= {"live": see_live(every(objects_of(hashed)), SERVED.objects, dict(self.live))}
        return hash_plan(read_hashed(write_document(hashed, DONE)))


Planning.TestCase.settings = settings(deadline=None, max_examples=25, stateful_step_count=15)
TestPlanning = Planning.TestCase
