"""An API server in memory, spoken to over HTTP like a real one, with controllers that do what they are told.

It passes the same tests as the real one (tests/blocks/cluster/test_contract.py). Not faked: admission, RBAC, schemas, fields inside lists.
"""

import asyncio
import copy
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from blocks.cluster.paths import KINDS
from blocks.domain.mesh import LINKERD_GROUP
from blocks.domain.objects.dry_run import stand_in
from blocks.domain.objects.tenancy import LIMITS
from tests.fakes.autoscaler import FOLLOWED, Autoscaler
from tests.fakes.cluster_store import Change, Conflict, Invalid, Key, Store, check, look

CASES = Path(__file__).parents[1] / "cases"
PLACE = re.compile(
    r"^/(?P<group>api/v1|apis/[^/]+/[^/]+)(/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(/(?P<name>[^/]+))?(/(?P<part>log|scale))?$"
)
# The namespaces in which objects are tried are there, and nothing is in them.
STANDING = frozenset(map(stand_in, LIMITS))
KIND_OF = {plural: kind for kind, (_, plural) in KINDS.items()}


def pod_case(name: str) -> dict[str, Any]:
    """One case of what pods can look like."""
    found: dict[str, Any] = json.loads((CASES / "pods" / f"{name}.json").read_text())
    return found


def job_case(name: str) -> dict[str, Any]:
    """One case of how a Job can end."""
    found: dict[str, Any] = json.loads((CASES / "jobs" / f"{name}.json").read_text())
    return found


class FakeCluster:
    """The server and its controllers; `pods_are` names the case that pods of new Deployments follow, `jobs_are` that of new Jobs."""

    def __init__(self) -> None:
        self.store = Store(self._on_change)
        self.requests: Counter[str] = Counter()
        self.busy, self.pods_are, self.jobs_are, self.address = 0, "ready", "succeeds", ""
        self.logs: dict[str, str] = {}
        self.groups = {*map(_group_of, KINDS)} - {"", LINKERD_GROUP}
        self.autoscaler = Autoscaler(self.store)
        self._round, self._news = 0, asyncio.Condition()
        self._ran: dict[Key, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: set[web.StreamResponse] = set()

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig for this server."""
        path = folder / "kubeconfig"
        cluster = {"name": "fake", "cluster": {"server": self.address}}
        context = {"name": "fake", "context": {"cluster": "fake", "user": "me"}}
        whole = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context], "current-context": "fake"}
        path.write_text(json.dumps(whole | {"users": [{"name": "me", "user": {}}]}))
        return path

    def recall(self, other: "FakeCluster") -> None:
        """Be what the other was when it was left."""
        self.store.recall(other.store)
        self.autoscaler.needed.update(other.autoscaler.needed)
        self._ran = copy.deepcopy(other._ran)

    async def restart(self, deployment: str) -> None:
        """Make the Deployment's pods anew, as the case is now."""
        for key in [one for one in self.store.objects if one[0] == "deployments" and one[2] == deployment]:
            await self._run(key)

    async def take_down(self, deployment: str) -> None:
        """Delete the Deployment with its pods, as a person does."""
        for key in [one for one in self.store.objects if one[0] == "deployments" and one[2] == deployment]:
            await self._take_down(key)

    async def settle(self) -> None:
        """Autoscalers and controllers have done what is to be done as things are."""
        self._do(self.autoscaler.look())
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def names(self) -> set[str]:
        """Everything there is, as `plural namespace/name`; Events do not count."""
        return {f"{plural} {namespace}/{name}" for plural, namespace, name in self.store.objects if plural != "events"}

    def break_streams(self) -> None:
        """Cut every watch in the middle."""
        for stream in self._streams:
            if stream._req is not None and stream._req.transport is not None:
                stream._req.transport.abort()

    async def end_streams(self) -> None:
        """End every watch that is open now, as a server does after a while."""
        self._round += 1
        await self._spread()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        if request.path == "/apis":
            return web.json_response({"kind": "APIGroupList", "groups": [{"name": one} for one in sorted(self.groups)]})
        matched = PLACE.match(request.path)
        if matched is None or not self._serves(matched["plural"]):
            return _status(404, f"no such path {request.path}")
        verb = "WATCH" if request.query.get("watch") == "true" else request.method
        verb = "DRYRUN" if "dryRun" in request.query else verb
        self.requests[f"{verb} {matched['plural']}"] += 1
        if self.busy > 0:
            self.busy -= 1
            return _status(429, "too many requests", headers={"Retry-After": "0"})
        try:
            return await self._serve(request, matched)
        except Conflict as problem:
            message, causes = problem.args
            return _status(409, message, causes=causes)
        except Invalid as problem:
            return _status(422, str(problem))

    def _serves(self, plural: str) -> bool:
        return plural in KIND_OF and _group_of(KIND_OF[plural]) in {"", *self.groups}

    async def _serve(self, request: web.Request, place: "re.Match[str]") -> web.StreamResponse:
        key = (place["plural"], place["namespace"] or "", place["name"] or "")
        if place["part"] == "scale":
            return self._scale(request.query["fieldManager"], key, await request.json())
        if place["part"]:
            return web.Response(text=self.logs.get(request.query.get("previous", "false"), ""))
        if request.method in ("PATCH", "POST"):
            return await (self._apply(request, key) if request.method == "PATCH" else self._create(request, key))
        if key[2]:
            return await self._serve_one(request, key)
        watch = request.query.get("watch") == "true"
        return await self._watch(request, key) if watch else web.json_response(self._list(request, key))

    async def _serve_one(self, request: web.Request, key: Key) -> web.Response:
        if key not in self.store.objects:
            return _status(404, f'{key[0]} "{key[2]}" not found')
        if request.method == "DELETE":
            return self._delete(key, await request.json())
        return web.json_response(self.store.objects[key])

    async def _apply(self, request: web.Request, key: Key) -> web.Response:
        if away := self._missing_namespace(key):
            return away
        force, dry = request.query.get("force") == "true", request.query.get("dryRun") == "All"
        store = self.store.rehearsal(key) if dry else self.store
        found, created = store.apply(key, await request.json(), request.query["fieldManager"], force=force)
        return web.json_response(found, status=201 if created else 200)

    def _scale(self, manager: str, key: Key, body: Mapping[str, Any]) -> web.Response:
        found = self.store.scale(key, body["spec"]["replicas"], manager)
        return web.json_response({"kind": "Scale", "spec": {"replicas": found["spec"]["replicas"]}})

    async def _create(self, request: web.Request, key: Key) -> web.Response:
        body = await request.json()
        name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{self.store.version}"
        full = (key[0], key[1], name)
        return self._missing_namespace(full) or web.json_response(self.store.create(full, body, "creator"), status=201)

    def _missing_namespace(self, key: Key) -> web.Response | None:
        if not key[1] or ("namespaces", "", key[1]) in self.store.objects or key[1] in STANDING:
            return None
        return _status(404, f'namespaces "{key[1]}" not found')

    def _delete(self, key: Key, options: Mapping[str, Any]) -> web.Response:
        live = self.store.objects[key]
        check(live, options.get("preconditions", {}))
        if key[0] == "deployments":
            self._do(self._take_down(key))
        elif key[0] == "namespaces":
            for inside in [one for one in self.store.objects if one[1] == key[2]]:
                self.store.delete(inside)
            self.store.delete(key)
        else:
            if key[0] == "jobs":
                self._clear(key)
            self.store.delete(key)
        return web.json_response({"kind": "Status", "status": "Success"})

    def _list(self, request: web.Request, key: Key) -> dict[str, Any]:
        items = [one for other, one in self.store.objects.items() if _is_in_view(request, key, other, one)]
        bare = [{field: value for field, value in one.items() if field not in ("kind", "apiVersion")} for one in items]
        return {"kind": "List", "metadata": {"resourceVersion": str(self.store.version)}, "items": bare}

    async def _watch(self, request: web.Request, key: Key) -> web.StreamResponse:
        response, version = web.StreamResponse(), int(request.query["resourceVersion"])
        try:
            await response.prepare(request)
        except ConnectionResetError:
            return response  # whoever wanted to watch was killed
        if version < self.store.oldest:
            await response.write(_line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}))
            return response
        self._streams.add(response)
        try:
            this_round = self._round
            while self._round == this_round:
                for change in [one for one in self.store.log if one.version > version]:
                    version = change.version
                    if _is_in_view(request, key, change.key, change.found):
                        await response.write(_line(change.kind, change.found))
                    else:
                        await response.write(_line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}}))
                await self._wait_for_news(version, this_round)
            return response
        finally:
            self._streams.discard(response)

    async def _wait_for_news(self, version: int, this_round: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._round != this_round or self.store.version > version)

    def _on_change(self, change: Change) -> None:
        self._do(self._spread())
        if change.kind == "DELETED":
            self._ran.pop(change.key, None)
            return
        if change.key[0] in FOLLOWED:
            self._do(self.autoscaler.look())
        if change.kind == "ADDED" and change.key[0] == "namespaces":
            self._do(self._say(change.key, {"phase": "Active"}))
        elif change.kind == "ADDED" and change.key[0] == "resourcequotas":
            self._do(self._say(change.key, {"used": dict.fromkeys(change.found["spec"]["hard"], "0")}))
        elif change.kind == "ADDED" and change.key[0] == "jobs" and not change.found["spec"].get("suspend"):
            self._do(self._run_job(change.key, change.found["spec"]))
        elif change.key[0] == "httproutes":
            self._do(self._say(change.key, {"parents": [{"conditions": _taken(change.found)}]}))
        elif change.key[0] == "deployments" and self._ran.get(change.key) != change.found["spec"]:
            before, now = self._ran.get(change.key), copy.deepcopy(change.found["spec"])
            self._ran[change.key] = now
            self._do(self._run(change.key, scaled=before is not None and before | {"replicas": now["replicas"]} == now))

    async def _spread(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _say(self, key: Key, status: Mapping[str, Any]) -> None:
        if key in self.store.objects:
            self.store.set_status(key, status)

    async def _run(self, key: Key, *, scaled: bool = False) -> None:
        """Make the pods of a Deployment anew, as the case says; it is gone by now or has no replicas, then there are none.

        One that is only scaled keeps the pods that it wants still, however they are.
        """
        replicas = self.store.objects[key]["spec"]["replicas"] if key in self.store.objects else 0
        self._clear(key, replicas if scaled else 0)
        if not replicas:
            return
        case, deployment = pod_case(self.pods_are), self.store.objects[key]
        template = deployment["spec"]["template"]
        self.logs = case.get("logs", {})
        for number, pod in enumerate(case["pods"] * (replicas if scaled or self.pods_are == "ready" else 1)):
            name = f"{key[2]}-{number}"
            metadata = {"name": name, "labels": template["metadata"]["labels"]}
            body = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": template["spec"], "status": pod["status"]}
            if ("pods", key[1], name) not in self.store.objects:
                self.store.create(("pods", key[1], name), body, "controller")
        for number, event in enumerate(case.get("events", ())):
            about = {"regarding": {"kind": "Pod", "name": f"{key[2]}-0"}, "metadata": {"name": f"{key[2]}.{number}"}}
            self.store.create(("events", key[1], f"{key[2]}.{number}"), copy.deepcopy(event) | about, "kubelet")
        await self._say(key, case["deployment"].get("status", {}))

    async def _run_job(self, key: Key, spec: Mapping[str, Any]) -> None:
        """Make the pod of a Job as the case says, and end it at its deadline where it does not end by itself."""
        case, template = job_case(self.jobs_are), spec["template"]
        for number, status in enumerate(case["pods"]):
            metadata = {"name": f"{key[2]}-{number}", "labels": template["metadata"]["labels"]}
            body = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": template["spec"], "status": status}
            self.store.create(("pods", key[1], metadata["name"]), body, "controller")
        for number, event in enumerate(case.get("events", ())):
            about = {"regarding": {"kind": "Job", "name": key[2]}, "metadata": {"name": f"{key[2]}.{number}"}}
            self.store.create(("events", key[1], f"{key[2]}.{number}"), event | about, "job-controller")
        await self._say(key, case["status"])
        if "then" in case:
            await asyncio.sleep(spec["activeDeadlineSeconds"])
            self._clear(key)
            await self._say(key, job_case(case["then"])["status"])

    async def _take_down(self, key: Key) -> None:
        """Foreground deletion: going, then the pods, then gone."""
        going = copy.deepcopy(self.store.objects[key])
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
        self.store.replace(key, going)
        await asyncio.sleep(0.01)
        self._clear(key)
        self.store.delete(key)

    def _clear(self, key: Key, kept: int = 0) -> None:
        """No pods of the Deployment but the first so many, and nothing said of them."""
        stay = {f"{key[2]}-{number}" for number in range(kept)}
        mine = [("pods", f"{key[2]}-"), ("events", f"{key[2]}.")]
        for plural, start in mine:
            for one in [one for one in self.store.objects if one[:2] == (plural, key[1]) and one[2].startswith(start)]:
                if one[2] not in stay:
                    self.store.delete(one)

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def open_fake_cluster() -> AsyncIterator[FakeCluster]:
    """A server on a port of its own, gone at the end."""
    fake = FakeCluster()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(application, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.address = f"http://{host}:{port}"
    try:
        yield fake
    finally:
        await fake.end_streams()
        await runner.cleanup()


def _is_in_view(request: web.Request, asked: Key, key: Key, found: Mapping[str, Any]) -> bool:
    if key[0] != asked[0] or asked[1] not in ("", key[1]):
        return False
    labels = found["metadata"].get("labels") or {}
    chosen = all(labels.get(name) == value for name, value in _pairs(request.query.get("labelSelector", "")))
    fields = all(look(found, tuple(name.split("."))) == value for name, value in _pairs(request.query.get("fieldSelector", "")))
    return chosen and fields


def _group_of(kind: str) -> str:
    """The API group of a kind, nothing for the core's."""
    return KINDS[kind][0].partition("/")[2].rpartition("/")[0]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (one.partition("=") for one in text.split(",") if one)]


def _line(kind: str, found: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": found}).encode() + b"\n"


def _taken(route: Mapping[str, Any]) -> list[dict[str, Any]]:
    seen = {"status": "True", "observedGeneration": route["metadata"]["generation"]}
    return [{"type": kind} | seen for kind in ("Accepted", "ResolvedRefs")]


def _status(code: int, message: str, *, causes: Any = (), headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "message": message, "details": {"causes": list(causes)}}
    return web.json_response(body, status=code, headers=headers)
