"""The scanner that flow tests use keeps the scanners' contract."""

from pathlib import Path

import pytest

from blocks.domain.findings import Finding, Kind, Severity
from blocks.ports.scanners import Scanner
from tests.blocks.scanners.contract import ScannerContract
from tests.fakes.scanners import FakeScanner


class TestFakeScanner(ScannerContract):
    """With a finding, so that its maker's name is checked."""

    @pytest.fixture
    def scanner(self, tmp_path: Path) -> Scanner:
        """One that found something."""
        found = Finding(Kind.VULNERABILITY, "CVE-2026-1", "left-pad", Severity.LOW, found_by=("fake",))
        return FakeScanner("fake", findings=(found,))
