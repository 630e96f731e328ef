"""What is read from files."""

from pathlib import Path
from typing import Any

import pytest

from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.files import HOME_URL, Address, find_address, read_request


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("r.json", '{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param("r.yaml", "a: [1]", {"a": [1]}, id="YAML"),
        pytest.param("r.yml", "{a: 1}", {"a": 1}, id="YAML that begins like JSON"),
        pytest.param("request", '\n {"a": "2020-01-01"}', {"a": "2020-01-01"}, id="JSON without a name of its own"),
        pytest.param("request", "a: 1", {"a": 1}, id="YAML without a name of its own"),
    ],
)
def test_reads(name: str, text: str, value: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert read_request(str(tmp_path / name)) == value


def hold(folder: Path, **files: str) -> Path:
    """A folder with these files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")
    return folder


def test_what_is_given_goes_before_what_is_found(tmp_path: Path) -> None:
    folder = hold(tmp_path / "a", token="found", url="http://found")
    assert find_address("http://given", "given", [folder]) == Address("http://given", "given")
    assert find_address(None, "given", [folder]) == Address("http://found", "given")
    assert find_address(None, None, [folder]) == Address("http://found", "found")


def test_a_token_goes_to_the_address_that_it_was_left_with(tmp_path: Path) -> None:
    empty, first = hold(tmp_path / "empty", url="http://empty"), hold(tmp_path / "first", token="first")
    second = hold(tmp_path / "second", token="second", url="http://second")
    assert find_address(None, None, [empty, tmp_path / "none", first, second]) == Address(HOME_URL, "first")
    assert find_address(None, None, [empty, second, first]) == Address("http://second", "second")


def test_no_token_is_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="there is no token") as stopped:
        find_address(None, None, [tmp_path])
    assert stopped.value.code is ExitCode.NOT_ALLOWED
