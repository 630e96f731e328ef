"""What the plugin is told: a person's configuration, with references where secrets belong, under what is not theirs to choose.

Files are JSON, which is YAML as well, and has one meaning in every version of YAML.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own

FOLDER = "/etc/plugin"
DATABASE = "database"


def config_map(blueprint: Blueprint) -> Object:
    """The revision's configuration; it never changes, so that going back takes configuration along."""
    text = json.dumps(configuration(blueprint), indent=2, sort_keys=True, ensure_ascii=False)
    said = {"immutable": True, "data": {file_name(blueprint): text}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": own(blueprint) | {"name": blueprint.name}} | said


def file_name(blueprint: Blueprint) -> str:
    """What the runtime's configuration file is called."""
    return "app-config.yaml" if blueprint.runtime is Runtime.BACKEND else "config.json"


def configuration(blueprint: Blueprint) -> dict[str, Any]:
    """The whole configuration; raises `Refused` where a secret's path leads through something that is not an object."""
    said = merge(defaults(blueprint), blueprint.request.config)
    for one in blueprint.request.secret_refs:
        said = _put(said, one.path, {"$file": f"{FOLDER}/secrets/{one.secret}/{one.key}"})
    if blueprint.runtime is not Runtime.BACKEND:
        return said
    fixed = {"listen": f":{blueprint.ports[0].port}", "database": database_connection(blueprint)}
    return said | {"backend": _object(said.get("backend", {}), ("backend",)) | fixed}


def defaults(blueprint: Blueprint) -> dict[str, Any]:
    """What holds unless the person says otherwise."""
    return {"backend": {"baseUrl": blueprint.url}} if blueprint.runtime is Runtime.BACKEND else {}


def database_connection(blueprint: Blueprint) -> dict[str, Any]:
    """The plugin's own database; its role owns it and nothing else, so schemas are made but no database is."""
    connection = {
        "host": blueprint.site.database_host,
        "port": blueprint.site.database_port,
        "user": blueprint.database,
        "database": blueprint.database,
        "password": {"$file": f"{FOLDER}/secrets/{DATABASE}/password"},
    }
    division = {"pluginDivisionMode": "schema", "ensureExists": False, "ensureSchemaExists": True}
    return {"client": "pg", "connection": connection} | division


def mounted_secrets(blueprint: Blueprint) -> list[dict[str, Any]]:
    """The sources of the plugin's volume that are Secrets: each key that was asked for is a file under `secrets/<name>/`.

    Raises `Refused` if a person's Secret would hide the database's.
    """
    asked: dict[str, set[str]] = {}
    for one in blueprint.request.secret_refs:
        asked.setdefault(one.secret, set()).add(one.key)
    if blueprint.database and DATABASE in asked:
        raise Refused(f"a Secret called {DATABASE!r} would hide the database's own", "give the Secret another name")
    sources = [_source(secret, secret, sorted(keys)) for secret, keys in sorted(asked.items())]
    return [*sources, *([_source(blueprint.database_secret, DATABASE, ["password"])] if blueprint.database else [])]


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with the second winning; objects are merged, everything else is replaced whole."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _source(secret: str, folder: str, keys: list[str]) -> dict[str, Any]:
    return {"secret": {"name": secret, "items": [{"key": key, "path": f"secrets/{folder}/{key}"} for key in keys]}}


def _put(into: Mapping[str, Any], path: tuple[str, ...], value: Any, walked: tuple[str, ...] = ()) -> dict[str, Any]:
    key, *rest = path
    if not rest:
        return dict(into) | {key: value}
    here = (*walked, key)
    return dict(into) | {key: _put(_object(into.get(key, {}), here), tuple(rest), value, here)}


def _object(value: Any, path: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"config.{'.'.join(path)} must be an object, and is not", "correct it in the request's config")
    return dict(value)


def database_secret(beside: Object, name: str, password: str) -> Object:
    """The Secret with the database's password, belonging to whom the object beside it belongs; not part of any plan."""
    metadata = {key: beside["metadata"][key] for key in ("namespace", "labels", "annotations")}
    encoded = base64.b64encode(password.encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata | {"name": name}, "data": {"password": encoded}}


def password_in(secret: Mapping[str, Any] | None) -> str:
    """The password that the Secret holds, or nothing."""
    encoded = (secret or {}).get("data", {}).get("password", "")
    return base64.b64decode(encoded).decode()


def keys_of_persons(deployment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every Secret's name and key that a person's request mounts; the database's is the pipeline's own."""
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    sources = [one["secret"] for volume in volumes for one in volume.get("projected", {}).get("sources", ()) if "secret" in one]
    return [
        (source["name"], item["key"])
        for source in sources
        for item in source["items"]
        if not item["path"].startswith(f"secrets/{DATABASE}/")
    ]
