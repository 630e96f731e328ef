"""The API as the command line asks it: answers as shapes, everything else as a `Stop` with the server's own sentence."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from deployments.api.past import AuditShown, MomentShown, PastList, QuarantineList, TimelineShown
from deployments.api.release import own_version
from deployments.api.set_shown import SETS, SetAccepted, SetShown
from deployments.api.shapes import Accepted, InstallationList, InstallationShown, OperationShown, PlanShown
from deployments.api.shown import INSTALLATIONS
from deployments.api.waived import WAIVERS, WaiverList, WaiverShown
from deployments.api.watched import WATCHES, WatchList, WatchShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.files import Address

Shape = TypeVar("Shape", bound=BaseModel)
Listed = TypeVar("Listed", InstallationList, WatchList, WaiverList)
PAGE = 200
JSON_LINES = "application/x-ndjson"
REQUEST_SECONDS = 30.0
FAILURE = 400
BROKEN = 500
EXIT_OF: Mapping[int, ExitCode] = MappingProxyType(
    {
        400: ExitCode.WRONG_USE,
        401: ExitCode.NOT_ALLOWED,
        403: ExitCode.NOT_ALLOWED,
        404: ExitCode.NOT_FOUND,
        409: ExitCode.CONFLICT,
        413: ExitCode.WRONG_USE,
        415: ExitCode.WRONG_USE,
        422: ExitCode.WRONG_USE,
    }
)


def open_server(address: Address) -> "Server":
    """The API at the address, or `Stop` if that is none; nothing is asked yet."""
    headers = {"Authorization": f"Bearer {address.token}", "User-Agent": f"pluginctl/{own_version()}"}
    try:
        return Server(httpx.Client(base_url=address.url, headers=headers, timeout=REQUEST_SECONDS))
    except (httpx.InvalidURL, UnicodeEncodeError) as problem:
        said = f"{address.url} with this token cannot be asked: {problem}"
        raise Stop(ExitCode.WRONG_USE, said, "give --url http://HOST:PORT and the token as it was made") from problem


class Server:
    """One API at one address, asked with one token."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def install(self, body: object, key: str | None = None, plan: str | None = None) -> Accepted:
        """Ask for an installation or an update; with a plan's hash for nothing but that plan."""
        query = {"planHash": plan} if plan else {}
        return read_shape(Accepted, self._send("/api/v1/plugins/install", body, key, query))

    def install_set(self, body: object, key: str | None = None) -> SetAccepted:
        """Ask for several plugins as one."""
        return read_shape(SetAccepted, self._send(SETS, body, key))

    def plugin_set(self, plugin_set: UUID) -> SetShown:
        """One set with its plugins."""
        return read_shape(SetShown, self._ask("GET", f"{SETS}/{plugin_set}"))

    def say_to_set(self, plugin_set: UUID, word: str, body: Mapping[str, object]) -> SetAccepted:
        """Say a word about all plugins of the set."""
        return read_shape(SetAccepted, self._send(f"{SETS}/{plugin_set}/{word}", body, None))

    def plan(self, body: object, key: str | None = None) -> Accepted:
        """Ask what installing or updating would do."""
        return read_shape(Accepted, self._send("/api/v1/plugins/plan", body, key))

    def uninstall(self, installation: UUID, *, drop_data: bool, key: str | None = None) -> Accepted:
        """Ask for an uninstallation."""
        query = {"dropData": "true" if drop_data else "false"}
        headers = {"Idempotency-Key": key} if key else {}
        return read_shape(Accepted, self._ask("DELETE", f"{INSTALLATIONS}/{installation}", params=query, headers=headers))

    def say(self, installation: UUID, word: str, body: Mapping[str, object], key: str | None = None) -> Accepted:
        """Ask for a verb on the installation, or say a word about its operation."""
        return read_shape(Accepted, self._send(f"{INSTALLATIONS}/{installation}/{word}", body, key))

    def lift(self, installation: UUID, body: Mapping[str, object], key: str | None = None) -> QuarantineList:
        """Let a release be tried again."""
        return read_shape(QuarantineList, self._send(f"{INSTALLATIONS}/{installation}/quarantine/lift", body, key))

    def plan_of(self, installation: UUID, operation: UUID) -> PlanShown:
        """The plan of an operation."""
        return read_shape(PlanShown, self._ask("GET", f"{INSTALLATIONS}/{installation}/operations/{operation}/plan"))

    def approvals(self) -> tuple[InstallationShown, ...]:
        """What waits for the word of whoever has this token."""
        return read_shape(InstallationList, self._ask("GET", "/api/v1/approvals")).items

    def revisions(self, installation: UUID) -> PastList:
        """What served and serves."""
        return read_shape(PastList, self._ask("GET", f"{INSTALLATIONS}/{installation}/revisions"))

    def quarantine(self, installation: UUID) -> QuarantineList:
        """The releases that were rolled back."""
        return read_shape(QuarantineList, self._ask("GET", f"{INSTALLATIONS}/{installation}/quarantine"))

    def timeline(self, installation: UUID) -> Iterator[MomentShown]:
        """Everything that happened on the installation, page by page as it is needed."""
        query = {"limit": str(PAGE)}
        while True:
            page = read_shape(TimelineShown, self._ask("GET", f"{INSTALLATIONS}/{installation}/timeline", params=query))
            yield from page.items
            if page.next is None:
                return
            query["after"] = str(page.next)

    def timeline_lines(self, installation: UUID) -> Iterator[str]:
        """The same as JSON Lines, as they arrive."""
        return self._stream("timeline", f"{INSTALLATIONS}/{installation}/timeline", headers={"Accept": JSON_LINES})

    def verify(self) -> AuditShown:
        """Whether the journal is whole."""
        return read_shape(AuditShown, self._ask("GET", "/api/v1/audit/verify"))

    def export(self) -> Iterator[str]:
        """Every entry of the journal as JSON Lines, as they arrive."""
        return self._stream("export", "/api/v1/audit/export")

    def installation(self, installation: UUID, *, traffic: bool = False) -> InstallationShown:
        """One installation with its steps, and with who answers people if that is wanted."""
        query = {"traffic": "true"} if traffic else {}
        return read_shape(InstallationShown, self._ask("GET", f"{INSTALLATIONS}/{installation}", params=query))

    def operation(self, installation: UUID, operation: UUID) -> OperationShown:
        """One operation on the installation, even if later ones followed."""
        return read_shape(OperationShown, self._ask("GET", f"{INSTALLATIONS}/{installation}/operations/{operation}"))

    def installations(self, wanted: Mapping[str, str | None]) -> Iterator[InstallationShown]:
        """Every installation that is wanted, page by page as they are needed."""
        for page in self._pages(InstallationList, INSTALLATIONS, wanted):
            yield from page.items

    def set_watch(self, body: Mapping[str, object]) -> WatchShown:
        """Watch a plugin."""
        return read_shape(WatchShown, self._send(WATCHES, body, None))

    def change_watch(self, watch: UUID, body: Mapping[str, object]) -> WatchShown:
        """Change what the body names."""
        return read_shape(WatchShown, self._ask("PATCH", f"{WATCHES}/{watch}", json=body))

    def remove_watch(self, watch: UUID) -> None:
        """Look no more."""
        self._ask("DELETE", f"{WATCHES}/{watch}")

    def watch(self, watch: UUID) -> WatchShown:
        """One watch with what it found."""
        return read_shape(WatchShown, self._ask("GET", f"{WATCHES}/{watch}"))

    def watches(self, wanted: Mapping[str, str | None]) -> Iterator[WatchShown]:
        """Every watch that is wanted, page by page as they are needed."""
        for page in self._pages(WatchList, WATCHES, wanted):
            yield from page.items

    def waive(self, body: Mapping[str, object]) -> WaiverShown:
        """Waive a finding."""
        return read_shape(WaiverShown, self._send(WAIVERS, body, None))

    def revoke_waiver(self, waiver: UUID, body: Mapping[str, object]) -> WaiverShown:
        """Let the waiver count no longer."""
        return read_shape(WaiverShown, self._send(f"{WAIVERS}/{waiver}/revoke", body, None))

    def waivers(self, wanted: Mapping[str, str | None]) -> Iterator[WaiverShown]:
        """Every waiver that is wanted, page by page as they are needed."""
        for page in self._pages(WaiverList, WAIVERS, wanted):
            yield from page.items

    def status(self) -> dict[str, Any]:
        """How the whole stands."""
        answer: dict[str, Any] = self._ask("GET", "/api/v1/status").json()
        return answer

    def report(self, installation: UUID) -> str:
        """The account of the installation's newest operation, as Markdown."""
        return self._ask("GET", f"{INSTALLATIONS}/{installation}/report").text

    def logs(self, installation: UUID, tail: int) -> Iterator[str]:
        """The plugin's own last words, as they arrive."""
        return self._stream("logs", f"{INSTALLATIONS}/{installation}/logs", params={"tail": tail})

    def _stream(self, what: str, path: str, **details: Any) -> Iterator[str]:
        try:
            with self._client.stream("GET", path, **details) as answer:
                if answer.status_code >= FAILURE:
                    answer.read()
                    raise read_problem(answer)
                yield from answer.iter_text()
        except httpx.HTTPError as problem:
            raise Stop(ExitCode.UNREACHABLE, f"the {what} broke off: {problem}", "ask again") from problem

    def _send(self, path: str, body: object, key: str | None, query: Mapping[str, str] | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self._ask("POST", path, json=body, headers=headers, params=dict(query or {}))

    def _pages(self, shape: type[Listed], path: str, wanted: Mapping[str, str | None]) -> Iterator[Listed]:
        query = {name: value for name, value in wanted.items() if value is not None} | {"limit": str(PAGE)}
        while True:
            page = read_shape(shape, self._ask("GET", path, params=query))
            yield page
            if page.next is None:
                return
            query = query | {"after": page.next}

    def _ask(self, method: str, path: str, **details: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **details)
        except httpx.HTTPError as problem:
            said = f"{self._client.base_url} does not answer: {problem}"
            raise Stop(ExitCode.UNREACHABLE, said, "see whether it runs (make run), or set PLUGINCTL_URL") from problem
        if answer.status_code >= FAILURE:
            raise read_problem(answer)
        return answer


def read_shape(shape: type[Shape], answer: httpx.Response) -> Shape:
    """The answer as a shape, or `Stop` if it is none: then something else listens there, or it is of another release."""
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError as problem:
        said = f"{answer.url} answered what pluginctl does not understand"
        raise Stop(ExitCode.UNREACHABLE, said, "see whether URL and releases fit: pluginctl version") from problem


def read_problem(answer: httpx.Response) -> Stop:
    """The server's problem as the end of the command, each wrong field on its line."""
    code = EXIT_OF.get(answer.status_code, ExitCode.UNREACHABLE if answer.status_code >= BROKEN else ExitCode.WRONG_USE)
    try:
        told = answer.json()
        lines = [describe_field(one) for one in told.get("errors", [])]
        return Stop(code, str(told["detail"]), str(told.get("hint", "")), lines)
    except (ValueError, KeyError, TypeError, AttributeError):
        said = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}"
        return Stop(code, said, "see whether PLUGINCTL_URL is the address of the API")


def describe_field(problem: Mapping[str, Any]) -> str:
    """One wrong field as a line."""
    hint = f" ({problem['hint']})" if problem.get("hint") else ""
    return f"{problem['field'] or 'the body'}: {problem['message']}{hint}"
