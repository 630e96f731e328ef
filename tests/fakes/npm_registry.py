"""An npm registry on 127.0.0.1 with behaviour: it can be told to fail in every way a real one fails, and it counts calls.

Only its content is made up: what asks it (httpx, pnpm) speaks real HTTP to it.
"""

import base64
import hashlib
import io
import json
import ssl
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote


class Fault(StrEnum):
    """What the registry does instead of answering."""

    NOT_FOUND = "404"
    FORBIDDEN = "403"
    TOO_MANY = "429"
    TOO_MANY_FOR_LONG = "429 for an hour"
    BROKEN = "500"
    SILENT = "no answer"
    TRUNCATED = "half a body"
    NONSENSE = "no JSON"


@dataclass
class Package:
    """One package: its versions with their manifests and files."""

    name: str
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class FakeRegistry:
    """Packages by name, faults by path, and the paths that were asked for."""

    def __init__(self) -> None:
        self.packages: dict[str, Package] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.calls: Counter[str] = Counter()
        self.token = ""
        self.tokens_seen: set[str] = set()
        self.address = ""
        self.closing = Event()

    def publish(
        self, name: str, version: str, *, files: Mapping[str, str] | None = None, lie: bool = False, **manifest: Any
    ) -> None:
        """Publish a version; a registry that lies promises another checksum than its archive has."""
        package = self.packages.setdefault(name, Package(name))
        manifest = {"name": name, "version": version, **manifest}
        archive = pack({"package.json": json.dumps(manifest), "index.js": "module.exports = {};", **(files or {})})
        promised = hashlib.sha512(b"something else" if lie else archive).digest()
        dist = {
            "integrity": f"sha512-{base64.b64encode(promised).decode()}",
            "shasum": hashlib.sha1(archive, usedforsecurity=False).hexdigest(),
            "tarball": f"{self.address}{name}/-/{name.rpartition('/')[2]}-{version}.tgz",
        }
        package.versions[version] = {**manifest, "dist": dist}
        package.archives[version] = archive
        package.tags["latest"] = version

    def fail(self, name: str, fault: Fault, times: int = 1000) -> None:
        """Answer the next so many questions about the package (or its archive: `name/-/archive.tgz`) with the fault."""
        self.faults[name] = [fault] * times

    def answer(self, path: str) -> tuple[int, bytes]:
        """The status and body for a path without its leading slash."""
        name, _, archive = path.partition("/-/")
        package = self.packages.get(name)
        if package is None:
            return 404, b'{"error":"not found"}'
        if archive:
            version = archive.removeprefix(f"{name.rpartition('/')[2]}-").removesuffix(".tgz")
            return (200, package.archives[version]) if version in package.archives else (404, b"{}")
        return 200, json.dumps({"name": name, "versions": package.versions, "dist-tags": package.tags}).encode()

    def next_fault(self, path: str) -> Fault | None:
        """The fault for this question, if one is left."""
        return self.faults[path].pop(0) if self.faults.get(path) else None


class Server(ThreadingHTTPServer):
    """The listener of one registry."""

    daemon_threads = True

    def __init__(self, registry: FakeRegistry) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.registry = registry

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to tell of."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Answer(BaseHTTPRequestHandler):
    """One connection to a registry."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, or fail as told."""
        registry, path = self.server.registry, unquote(self.path.lstrip("/"))
        registry.calls[path] += 1
        registry.tokens_seen.add(self.headers.get("Authorization", ""))
        if registry.token and self.headers.get("Authorization") != f"Bearer {registry.token}":
            self._send(401, b"{}")
        elif fault := registry.next_fault(path):
            self._misbehave(fault, registry.answer(path)[1])
        else:
            self._send(*registry.answer(path))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _misbehave(self, fault: Fault, body: bytes) -> None:
        if fault is Fault.SILENT:
            self.server.registry.closing.wait(20)
            self.close_connection = True
        elif fault is Fault.TRUNCATED:
            self._send(200, body, keep=len(body) // 2)
            self.close_connection = True
        elif fault is Fault.NONSENSE:
            self._send(200, b"<html>a proxy's page</html>")
        elif fault in (Fault.TOO_MANY, Fault.TOO_MANY_FOR_LONG):
            self._send(429, b"{}", retry_after="1" if fault is Fault.TOO_MANY else "3600")
        else:
            self._send(int(fault), b"{}")

    def _send(self, status: int, body: bytes, *, keep: int | None = None, retry_after: str = "") -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:keep])


@contextmanager
def open_registry(given: FakeRegistry | None = None, tls: ssl.SSLContext | None = None) -> Iterator[FakeRegistry]:
    """A registry, empty or the given one, that listens on a port of its own until the block ends."""
    registry = given or FakeRegistry()
    server = Server(registry)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    registry.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        registry.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def pack(files: Mapping[str, str]) -> bytes:
    """An npm archive of the files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()
