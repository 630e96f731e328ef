"""Docker Engine: makes images without a network, pushes them, and leaves nothing behind but the image in the registry.

Images are built by the engine's BuildKit, which the `docker` package does not speak yet: so the build is asked for by its HTTP address.
"""

import asyncio
import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, TLSParameterError, create_api_error_from_http_exception
from docker.tls import TLSConfig
from requests import HTTPError, Response
from requests.exceptions import RequestException

from blocks.build_context import open_context
from blocks.domain.buildkit_says import read_written
from blocks.domain.errors import BuildFailed, Refused, Transient
from blocks.domain.manifest import Runtime
from blocks.domain.recipe import DOCKERFILE, Recipe, find_bases, is_numbered_user
from blocks.ports.images import BuildOrder
from blocks.storage import read_file

TEMPLATES = Path(__file__).resolve().parents[1] / "infra" / "images"
# Seconds of silence after which the engine is given up; a build's longest step says something before.
SILENCE = 900
LAST_LINES = 15
# Of the engine's interface; only asked for the newest that it speaks.
OLDEST = "1.41"
BUILDKIT, PROGRESS = "2", "moby.buildkit.trace"
STEP_FAILED = re.compile(r"(?:exit|non-zero) code: \d+")
# The engine counts what it holds for one asker at a time: how often to ask again, and after how many seconds.
TAKEN = re.compile(r"already running")
TURNS, TURN = 240, 0.25
# Seconds to wait before the build's cache is taken away again, where BuildKit still held some of it.
GRACE = (0.0, 0.2, 1.0, 3.0)
AWAY = re.compile(r"connection refused|timeout|no such host|EOF|connection reset|50\d|429|too many requests", re.IGNORECASE)
# What TLS says of a certificate, ours or the engine's, and of an engine that wants none where we show one, or one where we show none.
UNBELIEVED = re.compile(r"certificate|CERTIFICATE|SSL|tls|HTTP request to an HTTPS server")
DISTRUST = "look at ca.pem, cert.pem and key.pem in the folder of DOCKER_CERT_PATH"
SAID_NO = re.compile(r"denied|unauthorized|forbidden|authentication required", re.IGNORECASE)


class DockerBuilder:
    """The engine at one address, a socket or a TCP port; `bases` are the base images by the build argument that names them.

    At a TCP port both sides show certificates: `certificates` is the folder with ours and with the authority that the engine's is from.
    """

    def __init__(self, host: str, bases: Mapping[str, str], certificates: Path | None = None) -> None:
        self._host, self._bases, self._certificates = host, bases, certificates

    @property
    def bases(self) -> Mapping[str, str]:
        """Build argument → base image, as configured."""
        return self._bases

    async def recipe(self, runtime: Runtime) -> Recipe:
        """The files that images of the runtime are made with: those of its folder and those that all share."""
        return Recipe(runtime, await asyncio.to_thread(read_template, runtime))

    async def build(self, order: BuildOrder) -> str:
        """The digest of the image, built and pushed; `BuildFailed` with the build's last words, `Refused` or `Transient`."""
        stop = Event()
        try:
            return await asyncio.to_thread(self._build, order, stop)
        finally:
            # A thread cannot be cancelled: it sees this at the engine's next word, and cleans up.
            stop.set()

    def _build(self, order: BuildOrder, stop: Event) -> str:
        engine = self._open()
        try:
            return Attempt(engine, order, stop).run()
        except APIError as problem:
            raise (Transient if problem.is_server_error() else BuildFailed)(
                f"Docker Engine: {problem.explanation or problem}"
            ) from problem
        except RequestException as problem:
            raise Transient(f"Docker Engine at {self._host} broke off: {problem}", "look whether it still runs") from problem
        finally:
            engine.close()

    def _open(self) -> docker.DockerClient:
        """The engine, spoken to in its own version; `Refused` where one side does not believe the other's certificate."""
        try:
            first = self._connect(OLDEST)
            try:
                return self._connect(str(first.api.version(api_version=False)["ApiVersion"]))
            finally:
                first.close()
        except TLSParameterError as problem:
            raise Refused(f"there are no usable certificates for Docker Engine: {problem.msg}", DISTRUST) from problem
        except (DockerException, RequestException) as problem:
            if UNBELIEVED.search(str(problem)):
                raise Refused(f"Docker Engine at {self._host} and we do not trust each other: {problem}", DISTRUST) from problem
            raise Transient(
                f"Docker Engine at {self._host} does not answer: {problem}", "start it, or set DOCKER_HOST"
            ) from problem

    def _connect(self, version: str) -> docker.DockerClient:
        tls = read_certificates(self._certificates) if self._certificates else False
        engine = docker.DockerClient(base_url=self._host, timeout=SILENCE, version=version, tls=tls)
        # The package asks the environment for proxies and authorities, and would believe those instead of the builder's own.
        engine.api.trust_env = False
        return engine


def read_certificates(folder: Path) -> TLSConfig:
    """What we show the engine and whom we believe, by the names that Docker's own client uses."""
    return TLSConfig(client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")), ca_cert=str(folder / "ca.pem"), verify=True)


class Attempt:
    """One build and push, which takes away whatever it made on this machine, however it ends."""

    def __init__(self, engine: docker.DockerClient, order: BuildOrder, stop: Event) -> None:
        self._engine, self._order, self._stop = engine, order, stop
        self._api = engine.api
        self._address = f"{engine.api.base_url}/v{engine.api.api_version}"
        self._name = f"{order.repository}:{order.tag}"
        self._said: list[str] = []

    def run(self) -> str:
        """The digest of the pushed image."""
        before = self._cached()
        try:
            self._pull_bases()
            self._make()
            self._refuse_root()
            return self._push()
        finally:
            self._remove_image()
            self._remove_cache(before)

    def _pull_bases(self) -> None:
        """Let the engine have the base images: it knows credentials and plain registries, its BuildKit does not."""
        for base in find_bases(read_file(self._order.folder / DOCKERFILE), self._order.bases):
            try:
                self._engine.images.get(base)
            except ImageNotFound:
                self._raise_failure(self._follow(self._api.pull(base, stream=True, decode=True)))

    def _make(self) -> None:
        with open_context(self._order.folder) as context:
            answer = self._api.post(
                f"{self._address}/build",
                params=self._parameters(),
                data=context,
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout=SILENCE,
            )
            # Whoever hangs up before the end stops the build.
            with answer:
                refuse(answer)
                self._raise_failure(self._follow(read_entries(answer)))

    def _parameters(self) -> dict[str, str]:
        return {
            "version": BUILDKIT,
            "t": self._name,
            "labels": json.dumps(dict(self._order.labels)),
            "buildargs": json.dumps(dict(self._order.bases)),
            "networkmode": "none",
            # Every build has layers of its own: so it can take them away without breaking another one.
            "nocache": "1",
        }

    def _raise_failure(self, failure: dict[str, Any] | None) -> None:
        if failure is None:
            return
        # What a step printed may name any trouble; only what the engine itself met can pass by.
        away = not STEP_FAILED.search(failure["error"]) and AWAY.search(failure["error"])
        raise (Transient if away else BuildFailed)(
            f"the image could not be built: {self._last_words()}", "mend what its last lines say"
        )

    def _refuse_root(self) -> None:
        user = str(self._engine.images.get(self._name).attrs["Config"].get("User") or "root")
        if not is_numbered_user(user):
            raise BuildFailed(f"the image runs as {user}", "end the Dockerfile with USER 10001:10001: a number, and not 0")

    def _push(self) -> str:
        digests: list[str] = []
        stream = self._api.push(self._order.repository, self._order.tag, stream=True, decode=True)
        failure = self._follow(stream, digests)
        if failure:
            error = Refused if SAID_NO.search(failure["error"]) else Transient
            raise error(
                f"{self._name} could not be pushed: {failure['error'].strip()}", "look at the registry and our rights in it"
            )
        if not digests:
            raise Transient(f"{self._name} was pushed, but the registry named no digest")
        return digests[-1]

    def _follow(self, stream: Iterable[dict[str, Any]], digests: list[str] | None = None) -> dict[str, Any] | None:
        """Listen to the end; the entry that tells of a failure, if there is one."""
        for entry in stream:
            if self._stop.is_set():
                raise Transient("the build was stopped")
            self._said.append(str(entry.get("written") or entry.get("stream") or ""))
            if "error" in entry:
                self._said.append(f"\n{entry['error']}\n")
                return entry
            if digests is not None and "Digest" in entry.get("aux", {}):
                digests.append(str(entry["aux"]["Digest"]))
        return None

    def _last_words(self) -> str:
        lines = [line.rstrip() for line in "".join(self._said).splitlines() if line.strip()]
        return " | ".join(lines[-LAST_LINES:])

    def _cached(self) -> dict[str, bool]:
        """Whether BuildKit holds it right now, for every record of its cache."""
        for _ in range(TURNS):
            try:
                return {str(record["ID"]): bool(record["InUse"]) for record in self._api.df().get("BuildCache") or ()}
            except APIError as problem:
                if not TAKEN.search(str(problem.explanation)):
                    raise
            sleep(TURN)
        raise Transient("Docker Engine is busy with counting what it holds", "look who else asks it to")

    def _remove_cache(self, before: Collection[str]) -> None:
        """Take away what BuildKit kept of this build; what it still holds after a while belongs to another build, and stays."""
        for pause in GRACE:
            sleep(pause)
            made = {record: held for record, held in self._cached().items() if record not in before}
            if not made:
                return
            chosen: Any = {"id": "|".join(sorted(record for record, held in made.items() if not held))}
            if chosen["id"]:
                self._api.prune_builds(filters=chosen, all=True)

    def _remove_image(self) -> None:
        try:
            self._api.remove_image(self._name, force=False)
        except ImageNotFound:
            return
        except APIError as problem:
            # 409: something else stands on it, so it is not ours alone to take away.
            if problem.status_code != 409:
                raise


def read_entries(answer: Response) -> Iterator[dict[str, Any]]:
    """What the engine says, an entry a line; BuildKit's progress as what the steps wrote."""
    for line in answer.iter_lines():
        try:
            entry: dict[str, Any] = json.loads(line)
            yield {"written": read_written(base64.b64decode(entry["aux"]))} if entry.get("id") == PROGRESS else entry
        except ValueError as problem:
            raise BuildFailed(f"Docker Engine said what cannot be read: {problem}", "look at the engine's version") from problem


def refuse(answer: Response) -> None:
    """Nothing if the engine accepts what was asked, else `APIError` in its words."""
    try:
        answer.raise_for_status()
    except HTTPError as problem:
        raise create_api_error_from_http_exception(problem) from problem


def read_template(runtime: Runtime) -> tuple[tuple[str, str], ...]:
    """The runtime's files and those all runtimes share, by name in a fixed order."""
    # The pipeline's own Dockerfile lies beside them and goes into no plugin.
    shared = (path for path in TEMPLATES.iterdir() if path.suffix != ".Dockerfile")
    files = [*shared, *(TEMPLATES / runtime).iterdir()]
    return tuple(sorted((path.name, path.read_text()) for path in files if path.is_file()))
