"""Keys, tokens and the API on a record in memory, made short."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from blocks.domain.approval import Question
from blocks.domain.errors import PipelineError, Terminal
from blocks.domain.journal import Kind
from blocks.domain.status import InstallationView
from blocks.domain.traffic import Side
from deployments.api.app import make_app
from deployments.api.identity import Expected, Verifier
from deployments.api.metrics import Traffic
from deployments.api.ports import Ports
from deployments.api.probes import record_probe
from tests.fakes.operations import FakeRecord

CASES = Path(__file__).resolve().parent.parent / "cases/requests"
EXPECTED = Expected("plugin-pipeline", "plugin-api")
KEY = Ed25519PrivateKey.generate()
# The hash of every plan here.
HASH = f"sha256:{'ab' * 32}"
# When a question runs out that nobody means to let run out: in the year 2100, in milliseconds.
FAR = 4_102_444_800_000
VERIFIER = Verifier({"": KEY.public_key()}, EXPECTED)


def read_cases(name: str) -> Any:
    """A table of `tests/cases/requests`."""
    return json.loads((CASES / name).read_text())


def make_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a valid admin token; a change to None leaves the claim out."""
    until = datetime.now(UTC) + timedelta(minutes=5)
    claims = {"iss": EXPECTED.issuer, "aud": EXPECTED.audience, "exp": until, "sub": "ann", "tenants": "*", "roles": ["admin"]}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def make_token(**changes: Any) -> str:
    """A signed token with these claims."""
    return jwt.encode(make_claims(**changes), KEY, "EdDSA")


def bearer(**changes: Any) -> dict[str, str]:
    """The header of a request by whoever the claims describe."""
    return {"Authorization": f"Bearer {make_token(**changes)}"}


def make_body(**changes: Any) -> dict[str, Any]:
    """A valid request body."""
    return {"plugin": {"name": "@backstage/plugin-catalog", "version": "2.0.8", "runtime": {"type": "frontend"}}} | changes


@dataclass
class Desk:
    """The API and what stands behind it."""

    record: FakeRecord = field(default_factory=FakeRecord)
    traffic: Traffic = field(default_factory=Traffic)
    started: list[UUID] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    database: str = ""
    lines: tuple[str, ...] = ("listening on 3000\n", "ready\n")
    pods: list[dict[str, Any]] = field(default_factory=list)
    sides: tuple[Side, ...] = ()
    prefect_is_away: PipelineError | None = None
    logs_are_away: PipelineError | None = None

    async def dispatch(self, operation: UUID) -> None:
        """Remember which operation a run was started for."""
        if self.prefect_is_away:
            raise self.prefect_is_away
        self.started.append(operation)

    async def logs(self, _: InstallationView, tail: int) -> AsyncIterator[str]:
        """The last lines."""
        if self.logs_are_away:
            raise self.logs_are_away
        for line in self.lines[-tail:]:
            yield line

    async def find_pods(self, _: InstallationView) -> list[dict[str, Any]]:
        """The installation's pods."""
        if self.logs_are_away:
            raise self.logs_are_away
        return self.pods

    async def see_sides(self, _: InstallationView) -> tuple[Side, ...]:
        """Who answers people."""
        if self.logs_are_away:
            raise self.logs_are_away
        return self.sides

    async def get(self, key: str) -> bytes:
        """What is kept under the key."""
        if key not in self.documents:
            raise Terminal(f"the artefact {key} is not in the storage", "start the installation again")
        return self.documents[key]

    def make_plan(self, operation: UUID, changes: int = 1, step: str = "make_plan") -> None:
        """Let the operation have a plan."""
        self.documents["sha256:document"] = (CASES.parent / "plans/install.json").read_bytes()
        made = {"hash": HASH, "document": "sha256:document", "summary": "1 object is created", "changes": changes}
        made |= {"verb": self.record.asked[operation].view.verb, "objects": ["Service/catalog"], "database": self.database}
        self.record.tell(operation, step, Kind.INTENDED)
        self.record.tell(operation, step, Kind.DONE, json.dumps(made))

    def park(self, operation: UUID, requester: str = "ann", step: str = "make_plan") -> None:
        """Let the operation wait for an approval of its plan."""
        self.make_plan(operation, step=step)
        question = Question(HASH, requester, 1, ("admin", "approver"), FAR)
        self.record.tell(operation, "approval", Kind.INTENDED)
        self.record.tell(operation, "approval", Kind.PARKED, question.write())

    def app(self) -> FastAPI:
        """The API on this record."""
        return make_app(self.ports(self.record), VERIFIER, self.traffic.count)

    def ports(self, record: Any) -> Ports:
        """What the API reaches, with this record behind it."""
        return Ports(
            requests=record,
            words=record,
            views=record,
            orders=record,
            set_requests=record,
            sets=record,
            neighbours=record,
            timelines=record,
            watches=record,
            waivers=record,
            audit=record,
            documents=self,
            dispatch=self.dispatch,
            logs=self.logs,
            pods=self.find_pods,
            sides=self.see_sides,
            probes={"database": record_probe(record)},
            prefect_ui="http://127.0.0.1:4200",
        )

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """A client of the API, an admin if not said otherwise."""
        transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers or bearer())
