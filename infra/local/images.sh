#!/usr/bin/env bash
# Puts the pause and base images into the local registry and keeps their names for world.env. Run once by the supervisor.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
export DOCKER_HOST=unix://$PIPELINE_STATE/docker.sock
"$LOCAL/base-images.sh" push >"$PIPELINE_STATE/images.new"
grep -E '^[A-Z_]+=' "$PIPELINE_STATE/images.new" >"$PIPELINE_STATE/images.env"
rm "$PIPELINE_STATE/images.new"
