"""Service plugins made for one test in the configured plugin folder, and gone after it; secrets in them are made up on the spot."""

import secrets
import shutil
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.api import Product

SAMPLE = "hello"


@dataclass(frozen=True)
class Service:
    """One plugin's folder and what asks for it."""

    name: str
    folder: Path

    def request(self, product: Product, tenant: str, **changes: Any) -> dict[str, Any]:
        """The request for this service."""
        asked = product.request("service", tenant, **changes)
        return {**asked, "plugin": {**asked["plugin"], "name": self.name}, "source": {"type": "folder", "path": self.name}}

    def sample(self, name: str) -> str:
        """The file as the sample has it."""
        return (self.folder.parent / SAMPLE / name).read_text()

    def write(self, name: str, text: str) -> None:
        """Put a file into the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@contextmanager
def make_service(root: Path) -> Iterator[Service]:
    """A copy of the sample with a name of its own, so that nobody built or scanned it before."""
    name = f"e2e-{secrets.token_hex(4)}"
    folder = root / name
    shutil.copytree(root / SAMPLE, folder)
    try:
        manifest = folder / "plugin.yaml"
        manifest.write_text(manifest.read_text().replace(f"id: {SAMPLE}", f"id: {name}"))
        yield Service(name, folder)
    finally:
        shutil.rmtree(folder)


def make_up_secret() -> str:
    """A key pair as a cloud gives them out, valid nowhere."""
    name = "".join(("AK", "IA", *(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))))
    key = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
    return f"aws_access_key_id={name}\naws_secret_access_key={key}\n"
