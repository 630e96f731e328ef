"""The API as the command line asks it: answers as shapes, everything else as a `Stop` with the server's own sentence."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from deployments.api.release import own_version
from deployments.api.shapes import INSTALLATIONS, Accepted, InstallationList, InstallationShown, OperationShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.files import Address

Shape = TypeVar("Shape", bound=BaseModel)
PAGE = 200
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

    def install(self, body: object, key: str | None) -> Accepted:
        """Ask for an installation."""
        headers = {"Idempotency-Key": key} if key else {}
        return read_shape(Accepted, self._ask("POST", "/api/v1/plugins/install", json=body, headers=headers))

    def uninstall(self, installation: UUID, *, drop_data: bool) -> Accepted:
        """Ask for an uninstallation."""
        query = {"dropData": "true" if drop_data else "false"}
        return read_shape(Accepted, self._ask("DELETE", f"{INSTALLATIONS}/{installation}", params=query))

    def installation(self, installation: UUID) -> InstallationShown:
        """One installation with its steps."""
        return read_shape(InstallationShown, self._ask("GET", f"{INSTALLATIONS}/{installation}"))

    def operation(self, installation: UUID, operation: UUID) -> OperationShown:
        """One operation on the installation, even if later ones followed."""
        return read_shape(OperationShown, self._ask("GET", f"{INSTALLATIONS}/{installation}/operations/{operation}"))

    def installations(self, wanted: Mapping[str, str | None]) -> Iterator[InstallationShown]:
        """Every installation that is wanted, page by page as they are needed."""
        query = {name: value for name, value in wanted.items() if value is not None} | {"limit": str(PAGE)}
        while True:
            page = read_shape(InstallationList, self._ask("GET", INSTALLATIONS, params=query))
            yield from page.items
            if page.next is None:
                return
            query = query | {"after": page.next}

    def status(self) -> dict[str, Any]:
        """How the whole stands."""
        answer: dict[str, Any] = self._ask("GET", "/api/v1/status").json()
        return answer

    def report(self, installation: UUID) -> str:
        """The account of the installation's newest operation, as Markdown."""
        return self._ask("GET", f"{INSTALLATIONS}/{installation}/report").text

    def logs(self, installation: UUID, tail: int) -> Iterator[str]:
        """The plugin's own last words, as they arrive."""
        path = f"{INSTALLATIONS}/{installation}/logs"
        try:
            with self._client.stream("GET", path, params={"tail": tail}) as answer:
                if answer.status_code >= FAILURE:
                    answer.read()
                    raise read_problem(answer)
                yield from answer.iter_text()
        except httpx.HTTPError as problem:
            raise Stop(ExitCode.UNREACHABLE, f"the logs broke off: {problem}", "ask again") from problem

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
