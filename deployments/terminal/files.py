"""What the command line reads from files: requests, and the local pipeline's address and token."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deployments.terminal.exits import ExitCode, Stop
from deployments.tokens import TOKEN, URL

HOME_URL = "http://127.0.0.1:8080"
STDIN = "-"
# YAML may begin like JSON, and is then told apart by its name.
YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Address:
    """Where the API is and with what it is asked."""

    url: str
    token: str


def read_request(name: str) -> Any:
    """The request in a file of JSON or YAML, or from standard input for `-`; raises `Stop` with the place that cannot be read."""
    try:
        text = sys.stdin.read() if name == STDIN else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise Stop(ExitCode.WRONG_USE, f"{name} cannot be read: {why}", "give -f FILE, or -f - for standard input") from problem
    is_json = text.lstrip().startswith("{") and not name.endswith(YAML)
    return read_json(name, text) if is_json else read_yaml(name, text)


def read_json(name: str, text: str) -> Any:
    """The value, or `Stop` with line and column."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as problem:
        raise Stop(ExitCode.WRONG_USE, f"{name} is not JSON: {problem}", "the API's page /api/docs has examples") from problem


def read_yaml(name: str, text: str) -> Any:
    """The value, or `Stop` with line and column; a value that JSON does not have (a date) is refused: put it in quotes."""
    try:
        value = yaml.safe_load(text)
        json.dumps(value, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as problem:
        said = " ".join(str(problem).split())
        raise Stop(
            ExitCode.WRONG_USE, f"{name} is not a request: {said}", "dates and numbers that are text need quotes"
        ) from problem
    if not isinstance(value, dict):
        raise Stop(ExitCode.WRONG_USE, f"{name} holds no request", "the API's page /api/docs has examples")
    return value


def find_address(url: str | None, token: str | None, folders: Iterable[Path]) -> Address:
    """The address and token that were given, else those of the first folder that has them; raises `Stop` without a token."""
    home = next((folder for folder in folders if (folder / TOKEN).is_file()), None)
    try:
        found = token or ((home / TOKEN).read_text().strip() if home else "")
        # A token goes to the address that it was left with, and to no other that happens to be known.
        place = url or ((home / URL).read_text().strip() if home and (home / URL).is_file() else HOME_URL)
    except OSError as problem:
        said = f"{problem.filename} cannot be read: {problem.strerror}"
        raise Stop(ExitCode.NOT_ALLOWED, said, "the token belongs to whoever ran make run") from problem
    if not found:
        raise Stop(ExitCode.NOT_ALLOWED, "there is no token", "make run makes one for this machine; else set PLUGINCTL_TOKEN")
    return Address(place, found)
