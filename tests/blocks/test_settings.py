"""Settings come from one file and the environment; a file that is named must be there."""

from pathlib import Path

import pytest

from blocks.domain.errors import Refused
from blocks.settings import read_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file like the one that is mounted into a pod."""
    written = tmp_path / "pipeline.env"
    written.write_text("REGISTRY=registry.test\nDOCKER_HOST=tcp://builder.test:2376\nPLAIN_REGISTRIES=a,b\n")
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(written))
    return written


def test_the_named_file_gives_what_the_environment_does_not(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment comes first."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    settings = read_settings()
    assert (settings.registry, settings.docker_host) == ("registry.test", "unix:///elsewhere")
    assert settings.plain_registries == ("a", "b")


def test_the_worlds_file_says_nothing_where_another_is_named(file: Path) -> None:
    """A pod has no world, and a machine with both means the one that it names."""
    assert read_settings().kubeconfig is None


def test_a_file_that_is_named_and_not_there_is_refused(file: Path) -> None:
    """A Secret that was not mounted must not look like defaults."""
    file.unlink()
    with pytest.raises(Refused, match="is not there"):
        read_settings()
