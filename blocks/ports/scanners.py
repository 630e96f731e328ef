"""What a scanner is to the rest of the house.

To add a scanner: write `blocks/scanners/<name>.py` with a class that answers these three questions, open it in
`blocks/scanners/configured.py`, make its tests run `tests/blocks/scanners/contract.py`, and name it in a policy when it must answer.
"""

from typing import Protocol

from blocks.domain.findings import Identity, Report
from blocks.domain.release import Image, Materials


class Scanner(Protocol):
    """One program or service that looks for something in an image or in what it is made of."""

    def subject(self, image: Image, materials: Materials) -> str:
        """The digest of what it would look at."""
        ...

    async def identify(self) -> Identity:
        """Its version and its database, or `ScanFailed` when either is missing, unknown or stale."""
        ...

    async def scan(self, image: Image, materials: Materials, identity: Identity) -> Report:
        """Its whole answer, or `ScanFailed` or `Transient`; never a part of an answer."""
        ...
