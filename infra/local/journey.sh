#!/usr/bin/env bash
# What `make run` shows: a real plugin, asked for through the API as any client would, and answering through the gateway.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
PLUGINCTL=$ROOT/.venv/bin/pluginctl
REQUEST=${1:-$LOCAL/requests/backend.json}

installation=$("$PLUGINCTL" install -f "$REQUEST" --json | jq -r .id)
"$PLUGINCTL" status "$installation" --follow
"$PLUGINCTL" report "$installation"
answers=$("$PLUGINCTL" status "$installation" --json | jq -r '.operation.steps[] | select(.name == "verify").result.url')
printf '\nIt answers on %s: ' "$answers"
curl -fsS "$answers"
printf '\nEverything stays up until make down. The Prefect UI is at http://127.0.0.1:%s (its password: PREFECT_API_AUTH_STRING in world.env), the API at http://127.0.0.1:8080/api/docs.\n' "$PREFECT_PORT"
