"""The settings decide which scanners there are, and why one is not."""

import os
from pathlib import Path

import pytest

from blocks.domain.errors import ScanFailed
from blocks.scanners.configured import open_scanners
from blocks.scanners.trivy import Trivy
from blocks.scanners.trufflehog import Trufflehog
from blocks.settings import Settings


def test_snyk_without_a_token_is_off_and_named(tmp_path: Path) -> None:
    """The other two are always there."""
    scanners, off = open_scanners(Settings(secrets_dir=tmp_path, snyk_token_ref=""))
    assert set(scanners) == {"trivy", "trufflehog"}
    assert off == {"snyk": "no token is configured"}


def test_snyk_with_a_token_is_on(tmp_path: Path) -> None:
    """The token is read from the secrets folder and shown nowhere."""
    (tmp_path / "snyk").write_text("the-token-itself\n")
    scanners, off = open_scanners(Settings(secrets_dir=tmp_path, snyk_token_ref="snyk"))
    assert set(scanners) == {"trivy", "trufflehog", "snyk"}
    assert off == {}
    assert "the-token-itself" not in repr(scanners)


def test_token_that_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    """It does not turn Snyk off in silence."""
    with pytest.raises(ScanFailed, match="snyk's token nowhere cannot be read"):
        open_scanners(Settings(secrets_dir=tmp_path, snyk_token_ref="nowhere"))


def test_programs_see_only_what_the_settings_name(tmp_path: Path) -> None:
    """Their own folder, and the extra authorities under the names that Go and Node look for."""
    bundle = tmp_path / "company.pem"
    settings = Settings(pipeline_bin=tmp_path / "bin", extra_ca_bundle=bundle, snyk_token_ref="")
    trivy = open_scanners(settings)[0]["trivy"]
    assert isinstance(trivy, Trivy)
    assert trivy.program.path == str(tmp_path / "bin" / "trivy")
    assert trivy.program.environment == {
        "PATH": os.pathsep.join([str(tmp_path / "bin"), os.defpath]),
        "SSL_CERT_FILE": str(bundle),
        "NODE_EXTRA_CA_CERTS": str(bundle),
    }


def test_without_a_folder_of_tools_the_path_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a tool that is nowhere keeps its name, so that its absence is said by that."""
    (tmp_path / "trivy").write_text("#!/bin/sh\n")
    (tmp_path / "trivy").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    scanners, _ = open_scanners(Settings(pipeline_bin=None, snyk_token_ref=""))
    trivy, trufflehog = scanners["trivy"], scanners["trufflehog"]
    assert isinstance(trivy, Trivy)
    assert isinstance(trufflehog, Trufflehog)
    assert (trivy.program.path, trufflehog.program.path) == (str(tmp_path / "trivy"), "trufflehog")
