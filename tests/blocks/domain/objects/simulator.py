"""Cyclonus: an independent reading of network policies, asked about every line of a table of traffic."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blocks.domain.objects.blueprint import Object


def judge(cyclonus: Path, folder: Path, policies: Sequence[Object], table: Mapping[str, Any]) -> list[bool]:
    """What cyclonus says of every line of the table."""
    peers = {name: _peer(one) for name, one in table["peers"].items()}
    rows = [
        {"Source": peers[row["from"]], "Destination": peers[row["to"]], "ResolvedPort": row["port"], "Protocol": row["protocol"]}
        for row in table["traffic"]
    ]
    (folder / "traffic.json").write_text(json.dumps(rows))
    listed = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicyList", "items": policies}
    (folder / "policies.json").write_text(json.dumps(listed))
    where = [f"--policy-path={folder}/policies.json", f"--traffic-path={folder}/traffic.json"]
    asked = [str(cyclonus), "analyze", "--mode", "query-traffic", *where]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    return [one == "TRUE" for one in re.findall(r"IS ALLOWED\? \|\s+(TRUE|FALSE)", said)]


def _peer(one: Mapping[str, Any]) -> dict[str, Any]:
    inside = {"Internal": {"Namespace": one["namespace"], "PodLabels": one["labels"]}} if "namespace" in one else {}
    return {"IP": one["ip"]} | inside
