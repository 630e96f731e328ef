# shellcheck shell=bash
# How up.sh makes a running world run the product's code of the clone that asks last. Sourced.

# what processes that live long were started from: the product's code, the libraries it runs with, and which pools it uses
code_sum() {
  (cd "$ROOT" && find flows tasks blocks deployments infra/requirements -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum; echo "$WORK_POOLS") |
    sha256sum | cut -c1-16
}
# The processes follow two links, so that no process's command names a clone that may be gone tomorrow.
link_clone() {
  ln -sfnT "$ROOT" "$PIPELINE_STATE/clone"
  ln -sfnT "$PIPELINE_VENV" "$PIPELINE_STATE/venv"
}

# What every run as a Job is given: one Secret for each kind of run, with what that kind needs as files; and the folder of sources.
hand_out() { "$LOCAL/hand-out.sh" >>"$LOGS/hand-out.log" 2>&1 9<&- || { last_words hand-out >&2; fail "Runs as Jobs have no settings."; }; }
# One of the product's own programs, with the settings that the supervisor would give it.
run_once() { # module, log
  local unwanted; mapfile -t unwanted < <(forgotten)
  (cd "$ROOT" && env "${unwanted[@]}" PREFECT_API_URL="http://127.0.0.1:$PREFECT_PORT/api" PREFECT_HOME="$PIPELINE_STATE/prefect" \
    PREFECT_SERVER_ANALYTICS_ENABLED=false "$PIPELINE_VENV/bin/python" -m "deployments.$1" >>"$LOGS/$1.log" 2>&1 9<&-) ||
    { last_words "$1" >&2; fail "The world stays as it was."; }
}
pid_of() { curl -sf --unix-socket "$SOCKET" "http://supervisor/process/$1" | jq -r .pid; }
# Returns when another process has taken the name; whether it is ready is seen by wait_until_ready.
restart() { # name
  local before turn
  before=$(pid_of "$1")
  supervisor process restart "$1" >/dev/null
  for ((turn = 0; turn < 300; turn++)); do
    [ "$(pid_of "$1")" = "$before" ] || return 0
    sleep 0.1
  done
  fail "$1 could not be restarted; its log: $LOGS/$1.log"
}
# The record is brought to this clone's schema first: when that is refused, nothing has been touched. Prefect and its
# Kubernetes worker run no code of ours: within one clone they stay. The embedded worker has ours in memory: its runs get time to end.
run_this_clone() {
  local before names=(worker api keeper)
  before=$(owner_says clone)
  run_once schema
  if [ "$before" != "$ROOT" ]; then names=(prefect kubernetes-worker "${names[@]}"); fi
  write_owner
  link_clone
  write_world_env
  local name
  for name in "${names[@]}"; do restart "$name"; done
  wait_until_ready
  run_once standing
  hand_out
  run_once register
}
