# shellcheck shell=bash
# How up.sh starts a world: clears what an unclean end left, makes folders, keys and settings, and hands over to the supervisor. Sourced.

secret() { # name, command that makes it: once
  [ -s "$SECRETS/$1" ] || { (umask 077; "${@:2}" >"$SECRETS/$1.new") && mv "$SECRETS/$1.new" "$SECRETS/$1"; }
}
# hexadecimal passwords need no quoting in an address
make_secrets() {
  local name
  for name in pipeline prefect plugins_admin registry; do secret "$name" openssl rand -hex 24; done
  secret encryption openssl rand -base64 32
  secret prefect_api printf 'plugin-pipeline:%s' "$(openssl rand -hex 24)"
}

# Resolvers of this machine, asked by address. None is no fault: names outside the cluster then do not exist.
resolvers() {
  local found; found=$(awk '$1 == "nameserver" && $2 !~ /%/ {printf "%s ", $2}' /etc/resolv.conf 2>/dev/null || true)
  [ -z "$found" ] || printf 'forward . %s{\n        failfast_all_unhealthy_upstreams\n    }' "$found"
}
render() { # template, file, mode
  mkdir -p "$(dirname "$CONFIG/$2")"
  # shellcheck disable=SC2016 # envsubst wants the names, not the values
  FORWARD=$(resolvers) ENCRYPTION_KEY=$(<"$SECRETS/encryption") REGISTRY_SECRET=$(<"$SECRETS/registry") envsubst '$PIPELINE_STATE $LOGS $PKI
    $CONFIG $REGISTRY $REGISTRY_SECRET $BRIDGE $POD_NETWORK $GATEWAY_IP $CLUSTER_DNS $CGROUP $ENCRYPTION_KEY $FORWARD $POSTGRES_PORT $BUILDER_PORT' \
    <"$LOCAL/config/templates/$1" >"$CONFIG/$2.new"
  chmod "$3" "$CONFIG/$2.new"
  mv "$CONFIG/$2.new" "$CONFIG/$2"
}
render_all() {
  local name
  for name in containerd.toml kubelet.yaml Corefile contour.yaml docker.json prometheus.yml postgresql.conf pg_hba.conf pg_ident.conf; do
    render "$name" "$name" 644
  done
  render encryption.yaml encryption.yaml 600
  render registry.yml registry.yml 600
  render cni.conflist cni/10-world.conflist 644
  render hosts.toml "certs.d/$REGISTRY/hosts.toml" 644
}

# Whoever has this folder as PREFECT_HOME shows Prefect the password; it stands on no command line and in no environment. Each of Prefect's clients
# reads the certificates it trusts anew: one file with one of them takes a millisecond, those of the whole machine thirty, five times in each run.
write_profile() {
  (umask 077; printf 'active = "world"\n[profiles.world]\nPREFECT_API_AUTH_STRING = "%s"\nPREFECT_API_SSL_CERT_FILE = "%s"\n' \
    "$(<"$SECRETS/prefect_api")" "$PKI/ca.crt" >"$PIPELINE_STATE/prefect/profiles.new")
  mv "$PIPELINE_STATE/prefect/profiles.new" "$PIPELINE_STATE/prefect/profiles.toml"
}
make_database_folder() {
  local home=$PIPELINE_STATE/postgres
  install -d -o postgres -g postgres -m 700 "$home"
  [ ! -d "$home/data" ] || return 0
  (cd "$home" && setpriv --reuid=postgres --regid=postgres --init-groups /usr/lib/postgresql/15/bin/initdb -D "$home/data.new" -U postgres \
    --encoding=UTF8 --locale=C.UTF-8 --auth=reject >"$LOGS/initdb.log" 2>&1) || fail "PostgreSQL: $(tail -5 "$LOGS/initdb.log")"
  mv "$home/data.new" "$home/data"
}

need_tools() {
  local missing=() tool
  for tool in runc dockerd docker-registry nft ip jq curl openssl envsubst setpriv flock prometheus /usr/lib/postgresql/15/bin/postgres \
    /usr/lib/cni/bridge "$PIPELINE_VENV/bin/prefect" process-compose kubelet etcd containerd coredns contour metrics-server envoy; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} -eq 0 ] || fail "The world needs what is not here: ${missing[*]}. 'make doctor' says how to get it."
}

prepare() {
  mkdir -p "$PIPELINE_STATE"
  write_owner
  link_clone
  mkdir -p "$PIPELINE_STATE"/{run,etcd,registry,prometheus,prefect,containerd,trivy,plugins} "$LOGS" "$SECRETS"
  chmod 700 "$SECRETS" "$PIPELINE_STATE/etcd"
  make_secrets
  "$LOCAL/pki.sh"
  render_all
  make_database_folder
  write_profile
  "$LOCAL/node.sh"
}

# what decides how the world runs; the pins decide of what it is made
settings_sum() {
  cat "$LOCAL"/config/*.yaml "$LOCAL"/config/templates/* "$LOCAL"/cluster/* "$LOCAL"/{node,pki,databases,cluster}.sh |
    sha256sum | cut -c1-16
}
write_owner() {
  printf 'user=%s\nclone=%s\nsince=%s\npins=%s\nsettings=%s\ncode=%s\n' \
    "${SUDO_USER:-$(id -un)}" "$ROOT" "$(date -u +%FT%TZ)" "$PINS" "$(settings_sum)" "$(code_sum)" >"$PIPELINE_STATE/owner.new"
  mv "$PIPELINE_STATE/owner.new" "$PIPELINE_STATE/owner"
}

# A world that ended uncleanly keeps its data when its parts are the same; data of other versions would not be understood.
clear_leftovers() {
  refuse_foreign_folder
  if [ -d "$PIPELINE_STATE/run" ] || [ -d "/sys/class/net/$BRIDGE" ]; then
    say "A world of $(owner_says user || true) ended without 'make down': what it left is cleared."
    "$LOCAL/clear.sh"
  fi
  [ "$(owner_says pins)" = "$PINS" ] || rm -rf --one-file-system "$PIPELINE_STATE"
}

# The product reads world.env; what a person's shell says of the same names would win over it.
forgotten() {
  sed -n 's/^\([A-Z_]\{4,\}\)=.*/\1/p' "$LOCAL/ready.sh" | grep -vE '^(PIPELINE_STATE|REGISTRY|PATIENCE)$' |
    cat - <(printf '%s\n' BASE_IMAGE NODE_IMAGE PAUSE_IMAGE DOCKER_CONFIG PREFECT_PROFILE) | sed 's/^/-u\n/'
}
start_anew() {
  "$LOCAL/packages.sh"
  need_tools
  clear_leftovers
  prepare
  local files unwanted; mapfile -t files < <(compose_files | sed 's/^/-f\n/')
  mapfile -t unwanted < <(forgotten)
  export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost,$GATEWAY_IP,$POD_NETWORK,$SERVICE_NETWORK"
  # no terminal, no lock and no pipe of ours may be held by what outlives this script
  env "${unwanted[@]}" "$MARKER" NO_COLOR=1 PROC_COMP_CONFIG="$CONFIG" setsid process-compose --tui=false --ordered-shutdown --keep-project \
    --disable-dotenv --unix-socket "$SOCKET" --log-file "$LOGS/supervisor.log" "${files[@]}" </dev/null >>"$LOGS/supervisor.out" 2>&1 9<&- &
  # shellcheck disable=SC2034 # ready.sh asks whether it lives
  supervisor_pid=$!
}
