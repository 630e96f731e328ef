# shellcheck shell=bash
# How up.sh waits for the processes, says how far they are, and writes down where everything is. Sourced.

# Ten minutes without anything new is a failure, not slowness: the slowest part (the base images, once a machine) takes one or two.
PATIENCE=${PIPELINE_PATIENCE:-600}
# the last look at the processes, what is known of them, and the supervisor this script started (none when it ran already)
table='' stay='' asked='' supervisor_pid=''

# Names of processes that are to stay (restart: always) although they have no readiness probe; the others without one are jobs.
stayers() {
  local name
  for name in $(processes | awk -F'\t' '$4 == "false" {print $1}'); do
    curl -sf --unix-socket "$SOCKET" "http://supervisor/process/info/$name" | jq -r 'select(.RestartPolicy.Restart == 1) | .Name'
  done
}
# Processes in one word each: ready, failed or waiting. Without a probe, one that stays is ready when it runs, a job when it ended well.
# A fresh world's process that fell five times will fall again.
judged() {
  processes | awk -F'\t' -v fresh="${supervisor_pid:+1}" -v stay=" ${stay//$'\n'/ } " '{
    state = "waiting"
    if ($2 == "Disabled" || ($2 == "Running" && $4 == "true" && $3 == "Ready")) state = "ready"
    if ($2 == "Completed" && $4 == "false" && $5 == 0) state = "ready"
    if ($2 == "Running" && index(stay, " " $1 " ")) state = "ready"
    if ($2 == "Error" || $2 == "Skipped" || ($2 == "Completed" && ($5 != 0 || $4 == "true"))) state = "failed"
    if (state == "waiting" && fresh && $6 >= 5) state = "failed"
    print $1, state, $2}'
}
last_words() { # names
  local name
  for name in "$@"; do
    say "$name did not come up. Its last lines ($LOGS/$name.log):"
    tail -n 20 "$LOGS/$name.log" 2>/dev/null | cut -c1-400 | sed 's/^/    /'
  done
}
# A process that was skipped only waited for another: the other is named. What did come up stays, to be looked at.
give_up() {
  local names
  names=$(awk '$2 == "failed" && $3 != "Skipped" {print $1}' <<<"$1")
  [ -n "$names" ] || names=$(awk '$2 == "waiting" && $3 != "Pending" {print $1}' <<<"$1")
  # shellcheck disable=SC2086 # one name a word
  last_words ${names:-supervisor} >&2
  fail "The world is not up. Its logs are in $LOGS; the next start begins anew and keeps the data."
}
progress() { # the table, names already told, how many
  local name
  while read -r name; do
    told+=("$name")
    awk -v n="${#told[@]}" -v all="$2" -v name="$name" -v a="$BEGAN" -v b="$EPOCHREALTIME" \
      'BEGIN {printf "[%d/%d] %s ready %.1f s\n", n, all, name, b - a}'
  done < <(awk '$2 == "ready" {print $1}' <<<"$1" | grep -vxFf <(printf '%s\n' "${told[@]}") || true)
}
supervisor_lives() { [ -z "$supervisor_pid" ] || kill -0 "$supervisor_pid" 2>/dev/null; }
all_ready() { [ -n "$1" ] && ! grep -qv ' ready ' <<<"$1"; }
some_failed() { grep -q ' failed ' <<<"$1"; }
# The table of all processes; empty while the supervisor does not answer yet.
look() {
  table=$(judged 2>/dev/null || true)
  if [ -n "$table" ] && [ -z "$asked" ]; then
    stay=$(stayers 2>/dev/null || true) asked=yes
    table=$(judged 2>/dev/null || true)
  fi
}
# All ready at the first look is nothing to tell.
wait_until_ready() {
  local told=() all before deadline=$((SECONDS + PATIENCE))
  look
  ! all_ready "$table" || return 0
  # in a world that ran already, only what was waited for is told
  [ -n "$supervisor_pid" ] || mapfile -t told < <(awk '$2 == "ready" {print $1}' <<<"$table")
  while :; do
    look
    all=$(grep -c . <<<"$table" || true) before=${#told[@]}
    [ -z "$table" ] || progress "$table" "$all"
    [ "${#told[@]}" -eq "$before" ] || deadline=$((SECONDS + PATIENCE))
    ! all_ready "$table" || return 0
    if some_failed "$table" || [ "$SECONDS" -ge "$deadline" ] || ! supervisor_lives; then give_up "$table"; fi
    sleep 0.2
  done
}

address() { printf 'postgresql+asyncpg://%s:%s@127.0.0.1:%s/%s\n' "$1" "$(<"$SECRETS/$1")" "$POSTGRES_PORT" "$2"; }
world_env() {
  cat <<ENV
KUBECONFIG=$PKI/admin.kubeconfig
DATABASE_URL=$(address pipeline pipeline)
PLUGIN_DATABASE_ADMIN_URL=$(address plugins_admin postgres)
PLUGIN_DATABASE_HOST=$GATEWAY_IP
PLUGIN_DATABASE_PORT=$POSTGRES_PORT
REGISTRY=$REGISTRY
DOCKER_HOST=unix://$PIPELINE_STATE/docker.sock
BUILDER=tcp://$GATEWAY_IP:$BUILDER_PORT
PREFECT_API_URL=http://127.0.0.1:$PREFECT_PORT/api
WORK_POOLS=$WORK_POOLS
PREFECT_API_AUTH_STRING=$(<"$SECRETS/prefect_api")
PROMETHEUS_URL=http://127.0.0.1:$PROMETHEUS_PORT
GATEWAY_URL=http://127.0.0.1:$GATEWAY_PORT
GATEWAY_DOMAIN=localhost
GATEWAY_NAME=contour
GATEWAY_NAMESPACE=projectcontour
GATEWAY_SOURCE=$GATEWAY_IP
SERVICE_MESH_PROVIDER=gateway-api
$(cat "$PIPELINE_STATE/images.env")
PIPELINE_IMAGE=$("$LOCAL/pipeline-image.sh" name)
TRIVY_CACHE_DIR=$PIPELINE_STATE/trivy
PIPELINE_BIN=$BIN
NODE_BIN=$NODE_BIN
EXTRA_CA_BUNDLE=${SSL_CERT_FILE:-}
PIPELINE_STATE=$PIPELINE_STATE
PLAIN_REGISTRIES=$REGISTRY
GATEWAY_CIDRS=$GATEWAY_IP/32
PIPELINE_CIDRS=$GATEWAY_IP/32
CLOSED_HOST=$GATEWAY_IP
CLOSED_PORT=$CLOSED_PORT
CLOSED_ADDRESS=$GATEWAY_IP:$CLOSED_PORT
DNS_CIDRS=$CLUSTER_DNS/32,$GATEWAY_IP/32
STORAGE_DIR=$PIPELINE_STATE/storage
SECRETS_DIR=$PIPELINE_STATE/tokens
STORE_DIR=$PIPELINE_CACHE/pnpm/store
PNPM=$PIPELINE_CACHE/pnpm/bin/pnpm
PLUGIN_DIR=$ROOT/tests/cases/plugins
JWT_PUBLIC_KEY=$HOME/.config/plugin-pipeline/token.pub
ENV
}
# Readable by whose world it is: root's, or of who called sudo. Written only when something is different.
write_world_env() {
  local new; new=$(world_env)
  [ "$(cat "$WORLD_ENV" 2>/dev/null)" != "$new" ] || return 0
  (umask 077; printf '%s\n' "$new" >"$WORLD_ENV.new")
  mv "$WORLD_ENV.new" "$WORLD_ENV"
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$WORLD_ENV" "$PKI" "$PKI/admin.kubeconfig" "$PIPELINE_STATE/docker.sock"
  # the scanner locks its cache: who scans writes there
  [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" "$PIPELINE_STATE/trivy"
}
