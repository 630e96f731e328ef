"""An operation as the steps see it, without lease and journal: steps' bodies are run on a fake or on the real cluster."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

from blocks.catalog.operations import Order, Served
from blocks.domain.asking import Wish
from blocks.domain.errors import Terminal
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.blueprint import Object
from blocks.domain.plan import Plan, read_document
from blocks.domain.release import Image, Release, Resolution
from blocks.domain.verdict import Verdict
from blocks.ports.cluster import Cluster, Reply, View
from blocks.settings import Settings
from blocks.work import Work
from tasks.kinds import Step
from tasks.plan import make_plan
from tests.fakes.databases import MemoryDatabases

RESOLUTION = Resolution(Release("hello", "1.2.3", "", "hello"), "", 0, "it is the only one")
VERDICT = Verdict("image", "dev", ("every scanner answered",), (), (), ())
MANIFEST = "{id: hello, name: Hello, version: 1.2.3, port: 8080, endpoints: [{path: /hello}]}"
# Everything that a test may leave behind in a cluster; what a cluster makes by itself in every namespace does not count.
KINDS: tuple[str, ...] = (
    "Namespace",
    "ConfigMap",
    "Deployment",
    "HTTPRoute",
    "LimitRange",
    "NetworkPolicy",
    "Pod",
    "PodDisruptionBudget",
)
KINDS = (*KINDS, "ResourceQuota", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount")


class MemoryStorage:
    """Artefacts in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, content: bytes | str) -> str:
        raw = content.encode() if isinstance(content, str) else content
        key = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self._kept[key] = raw
        return key

    async def get(self, key: str) -> bytes:
        if key not in self._kept:
            raise Terminal(f"no artefact {key}")
        return self._kept[key]


@dataclass
class Folder:
    """A source that knows one manifest."""

    text: str = MANIFEST

    async def open(self, _: object) -> "Folder":
        return self

    async def manifest(self, _: Release) -> str:
        return self.text


@dataclass
class ScriptedWeb:
    """A gateway that answers as told; the last answer is repeated."""

    answers: list[Reply | Exception] = field(default_factory=lambda: [Reply(404, {}, "")])
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        self.asked.append((host, path))
        self.sent.append(dict(headers or {}))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Neighbours:
    """What the record says: how many others are in the namespace, which revisions there are, which serves, how many are kept for it."""

    count: int = 0
    serves: int = 0
    revisions: dict[int, Served] = field(default_factory=dict)
    kept: int = 10

    async def others_in(self, namespace: str, installation: UUID) -> int:
        return self.count

    async def serving(self, installation: UUID) -> Served | None:
        return self.revisions.get(self.serves)

    async def revision(self, installation: UUID, number: int) -> Served | None:
        return self.revisions.get(number)

    async def bygone(self, installation: UUID, coming: int = 0) -> tuple[Served, ...]:
        newest_first = sorted(self.revisions.values(), key=lambda one: one.number, reverse=True)
        return tuple(newest_first[max(self.kept + 1 - coming, 0) :])


class Carried:
    """One operation on one installation; `tools` may be changed by a test."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self.cluster, self.databases, self.web = cluster, MemoryDatabases(), ScriptedWeb()
        self.neighbours, self.storage = Neighbours(), MemoryStorage()
        self.tools = SimpleNamespace(cluster=cluster, databases=self.databases, web=self.web, settings=settings)
        self.tools.operations, self.tools.storage, self.tools.sources = self.neighbours, self.storage, Folder()
        self.installation, self.operation, self.revision = uuid4(), uuid4(), 1
        self.tenant = f"t-{secrets.token_hex(4)}"
        self.asked, self.verb, self.wish = self.service(), "install", Wish()

    @property
    def order(self) -> Order:
        """What is to be carried, as the test wants it by now."""
        about = (self.operation, self.installation, self.verb, self.revision, self.asked)
        return Order(*about, self.wish, "ann")

    def serve(self, plan: Plan) -> None:
        """Let the plan's revision be what the record says serves, and the next plan be for the one after it."""
        served = Served(plan.revision, self.operation, plan.target, plan.image, plan.document)
        self.neighbours.revisions[plan.revision], self.neighbours.serves = served, plan.revision
        self.operation, self.revision, self.verb = uuid4(), plan.revision + 1, "update"

    async def request(self) -> InstallRequest:
        return self.asked

    @property
    def work(self) -> Work:
        return cast("Work", self)

    def service(self, **changes: Any) -> InstallRequest:
        """A request for a small service."""
        small = {"cpu": {"request": "10m", "limit": "500m"}, "memory": {"request": "16Mi", "limit": "128Mi"}}
        plugin = {"name": "hello", "runtime": {"type": "service"}, "resources": small} | changes.pop("plugin", {})
        source = {"type": "folder", "path": "hello"}
        return InstallRequest.model_validate({"plugin": plugin, "source": source, "tenant": self.tenant} | changes)

    def backend(self, **changes: Any) -> InstallRequest:
        """A request for a backend plugin, which has a database."""
        plugin = {"name": "@a/b", "runtime": {"type": "backend"}}
        return InstallRequest.model_validate({"plugin": plugin, "tenant": self.tenant} | changes)

    async def plan(self, image: str = "registry:5000/hello@sha256:1", script: str = "") -> Plan:
        """The plan for what is asked for; a script replaces what the image would run."""
        repository, _, digest = image.partition("@")
        plan: Plan = await body(make_plan)(self.work, RESOLUTION, Image(repository, digest, ""), VERDICT)
        text = (await self.storage.get(plan.document)).decode()
        if script:
            text = with_script(text, image, script)
        return replace(plan, document=await self.storage.put(text))

    async def objects(self, plan: Plan) -> list[Object]:
        """Every object that the plan names."""
        staged = read_document((await self.storage.get(plan.document)).decode(), self.operation)
        return [one for objects in staged.values() for one in objects]

    async def inventory(self) -> set[str]:
        """Everything of this test's in cluster and database server; a namespace may still be on its way out with what it has."""
        mine = f"{self.tenant}-dev"
        found = [f"{kind} {one['metadata']['name']}" for kind in KINDS for one in await self._of(kind, mine)]
        return {*found, *await self.tools.databases.names()}

    async def _of(self, kind: str, mine: str) -> list[Object]:
        if kind == "Namespace":
            return [one for one in await self.cluster.find(View(kind)) if one["metadata"]["name"] == mine]
        by_itself = ("kube-root-ca.crt", "default")
        return [one for one in await self.cluster.find(View(kind, mine)) if one["metadata"]["name"] not in by_itself]


def body(step: Step[..., Any]) -> Any:
    """What the step does, without its journal."""
    return step._do


def with_script(text: str, image: str, script: str) -> str:
    """The plan's document with pods that run the script in Node instead of what the image would run."""
    document = json.loads(text)
    for one in [one for phase in document["hashed"]["phases"] for one in phase["objects"] if one["kind"] == "Deployment"]:
        (container,) = one["spec"]["template"]["spec"]["containers"]
        container |= {"image": image, "command": ["node", "-e", script]}
    return json.dumps(document)


def settings_for(kubeconfig: Path, **changes: Any) -> Settings:
    """Settings of a test: those of the world where there is one, with this kubeconfig."""
    return Settings(kubeconfig=kubeconfig, **{"progress_deadline": 60, **changes})
