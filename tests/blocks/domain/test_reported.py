"""What a plugin says it is."""

import pytest

from blocks.domain.reported import Reported, read_reported

WANTED = Reported("@a/b", "1.0.0")


@pytest.mark.parametrize(
    ("status", "header", "text", "reported"),
    [
        pytest.param(200, "@a/b@1.0.0", "", WANTED, id="a header says it"),
        pytest.param(200, "", '{"name": "@a/b", "version": "1.0.0"}', WANTED, id="JSON says it"),
        pytest.param(200, "", '{"version": "1.0.0"}', Reported("", "1.0.0"), id="a service may leave its name out"),
        pytest.param(200, "@a/b@1.0.0", '{"version": "2"}', WANTED, id="the header goes before"),
        pytest.param(404, "@a/b@1.0.0", "", None, id="a failure says nothing"),
        pytest.param(200, "", "<html>", None, id="a page says nothing"),
        pytest.param(200, "", "[]", None, id="a list says nothing"),
        pytest.param(200, "", '{"version": 1}', None, id="a version is a text"),
    ],
)
def test_reading(status: int, header: str, text: str, reported: Reported | None) -> None:
    headers = {"x-plugin-release": header} if header else {}
    assert read_reported(status, headers, text) == reported


@pytest.mark.parametrize(
    ("said", "same"),
    [
        pytest.param(WANTED, True, id="the same"),
        pytest.param(Reported("", "1.0.0"), True, id="the version alone"),
        pytest.param(Reported("@a/c", "1.0.0"), False, id="another plugin"),
        pytest.param(Reported("@a/b", "1.0.1"), False, id="another version"),
    ],
)
def test_comparing(said: Reported, *, same: bool) -> None:
    assert said.is_what(WANTED) is same


def test_what_is_said_is_shown() -> None:
    assert (str(WANTED), str(Reported("", "1"))) == ("@a/b@1.0.0", "no name@1")
