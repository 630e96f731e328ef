#!/usr/bin/env bash
# Brings up the one world of this machine; a second run when all is well changes nothing. See world.sh for its folders.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"
refuse_other_parts
# by who runs this, into their cache, and before the lock: a cold build takes minutes
"$LOCAL/build.sh"
become_root "$@"
lock_world
BEGAN=$EPOCHREALTIME
# once more, since somebody may have started one meanwhile
refuse_other_parts
# shellcheck source=infra/local/start.sh
source "$LOCAL/start.sh"
# shellcheck source=infra/local/ready.sh
source "$LOCAL/ready.sh"
# shellcheck source=infra/local/product.sh
source "$LOCAL/product.sh"

mine() { [ "$(owner_says clone)" = "$ROOT" ]; }
begin_again() { # why
  say "$1: it is restarted, its data stays."
  asked=
  supervisor down >/dev/null 2>&1 || true
  "$LOCAL/clear.sh"
  start_anew
}
# One world, made of the same parts for everybody, runs what the last one to ask for it wants: settings and processes by one restart
# (process-compose's own update restarts what did not change, out of order), the product's code by a restart of the product alone.
follow_changes() {
  mine || say "The world $(whose) has the same parts: from now on it runs the code of $ROOT."
  look
  if some_failed "$table"; then
    begin_again "A part of the world had failed"
  elif [ "$(owner_says settings)" != "$(settings_sum)" ]; then
    begin_again "The world's settings changed"
  elif ! mine || [ "$(owner_says code)" != "$(code_sum)" ]; then
    say "The product is restarted with this clone's code, its data stays."
    run_this_clone
  fi
}

if supervisor_answers; then
  follow_changes
else
  start_anew
fi
wait_until_ready
# a world that runs for days gets the day's database at each `make up`: a stale one refuses every plugin
"$LOCAL/trivy-db.sh" "$PIPELINE_STATE/trivy"
write_world_env
awk -v a="$BEGAN" -v b="$EPOCHREALTIME" -v e="$WORLD_ENV" 'BEGIN {printf "The world is up (%.1f s): %s\n", b - a, e}'
