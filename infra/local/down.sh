#!/usr/bin/env bash
# Stops the world, whoever's it is, and leaves nothing of it on this machine. `down.sh --keep-data` leaves its folder for the next start.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
become_root "$@"
lock_world
began=$EPOCHREALTIME
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"

[ -d "$PIPELINE_STATE" ] || say "No world is up; only what one may have left is cleared."
refuse_foreign_folder
if supervisor_answers; then supervisor down >/dev/null 2>&1 || true; fi
"$LOCAL/clear.sh"
[ "${1:-}" = --keep-data ] || rm -rf --one-file-system "$PIPELINE_STATE"
awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {printf "The world is down (%.1f s).\n", b - a}'
