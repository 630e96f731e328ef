"""Small images pushed straight into a registry, without Docker."""

import hashlib
import io
import json
import secrets
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from blocks.domain.release import Image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@asynccontextmanager
async def pushed(registry: str, files: Mapping[str, str]) -> AsyncIterator[Image]:
    """An image with these files in the registry, deleted afterwards; no two tests share one."""
    repository, layer = "tests/scanners", pack({**files, "unique": secrets.token_hex(8)})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"User": "10001:10001", "Entrypoint": ["/plugin/start"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created_by": "COPY . / # buildkit"}],
        }
    ).encode()
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": describe(CONFIG, config), "layers": [describe(LAYER, layer)]}
    ).encode()
    async with httpx.AsyncClient(base_url=f"http://{registry}/v2/{repository}", timeout=60) as client:
        for blob in (layer, config):
            begun = await client.post("/blobs/uploads/")
            where = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest(blob)})
            (await client.put(where, content=blob)).raise_for_status()
        path = f"/manifests/{digest(manifest)}"
        (await client.put(path, content=manifest, headers={"Content-Type": MANIFEST})).raise_for_status()
        yield Image(f"{registry}/{repository}", digest(manifest), "inputs")
        (await client.delete(path)).raise_for_status()


def pack(files: Mapping[str, str]) -> bytes:
    """A tar archive of the files."""
    room = io.BytesIO()
    with tarfile.open(fileobj=room, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return room.getvalue()


def digest(content: bytes) -> str:
    """The content's name in a registry."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def describe(kind: str, content: bytes) -> dict[str, str | int]:
    """The content as a manifest names it."""
    return {"mediaType": kind, "size": len(content), "digest": digest(content)}
