# shellcheck shell=bash disable=SC2034
# What the scripts of the world share: its folders, its supervisor, its lock, and how to become root. Sourced, after nothing else.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# figures with a point and sentences in one language, whatever the machine's own
export LC_ALL=C.UTF-8
# a user's PATH need not have the folders where dockerd, runc and nft are
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LOCAL ROOT NODE=node1 CGROUP=plugin-pipeline
export PKI=$PIPELINE_STATE/pki CONFIG=$PIPELINE_STATE/config SECRETS=$PIPELINE_STATE/secrets
export PIPELINE_VENV=${PIPELINE_VENV:-$ROOT/.venv}
SOCKET=$PIPELINE_STATE/run/supervisor.sock
NFT_TABLE=plugin_pipeline
# made by kubelet, containerd and dockerd at fixed places, deepest first: taken back when empty and not here before
FOREIGN_FOLDERS=(/run/containerd/s /run/containerd /run/docker/plugins /run/docker /run/netns /var/log/containers
  /var/lib/cni/results /var/lib/cni /opt/containerd/bin /opt/containerd/lib /opt/containerd
  /var/lib/kubelet/device-plugins /var/lib/kubelet)
# every process of the world carries this in its environment: so they are found after any end
MARKER=PIPELINE_WORLD=$PIPELINE_STATE

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# Mounts, interfaces and other users' databases need root; what decides paths goes along.
become_root() {
  [ "$EUID" -ne 0 ] || return 0
  command -v sudo >/dev/null || fail "The world needs root for mounts and interfaces: run this as root or install sudo."
  local keep=(HOME="$HOME" PATH="$PATH") name
  for name in PIPELINE_CACHE PIPELINE_STATE PIPELINE_VENV POOL SSL_CERT_FILE NODE_EXTRA_CA_CERTS; do
    [ -z "${!name:-}" ] || keep+=("$name=${!name}")
  done
  exec sudo env "${keep[@]}" "$BASH" "$0" "$@"
}

# One up or down at a time; the lock is on the folder above, so that it leaves no file behind.
lock_world() {
  case $PIPELINE_STATE in /*/*) ;; *) fail "PIPELINE_STATE must be a folder of its own, not '$PIPELINE_STATE'." ;; esac
  mkdir -p "$(dirname "$PIPELINE_STATE")"
  exec 9<"$(dirname "$PIPELINE_STATE")"
  flock -w 600 9 || fail "Another start or stop of the world has been running for 10 minutes."
}

# A folder that no world made is neither used nor removed: the file 'owner' is the first thing a world writes there.
refuse_foreign_folder() {
  [ ! -d "$PIPELINE_STATE" ] || [ -f "$PIPELINE_STATE/owner" ] || [ -z "$(ls -A -I owner.new "$PIPELINE_STATE")" ] ||
    fail "$PIPELINE_STATE was made by somebody else (no file 'owner' in it): choose another folder with PIPELINE_STATE."
}

supervisor() { PROC_COMP_CONFIG=$CONFIG process-compose --unix-socket "$SOCKET" --log-file /dev/null "$@" 9<&-; }
supervisor_answers() { [ -S "$SOCKET" ] && supervisor list >/dev/null 2>&1; }

# name, status, health, has a probe, exit code, restarts: one line a process
processes() {
  supervisor list -o json | jq -r '.[] | [.name, .status, .is_ready, .has_ready_probe, .exit_code, .restarts] | @tsv'
}
compose_files() { printf '%s\n' "$LOCAL"/config/*.yaml; }
owner_says() { sed -n "s/^$1=//p" "$PIPELINE_STATE/owner" 2>/dev/null; }
whose() { echo "of $(owner_says user) (from $(owner_says clone), since $(owner_says since))"; }
# Two worlds would fight over the node. Asked before anything is built: the kernel knows, without tools and for every user, who listens.
refuse_other_parts() {
  [ -S "$SOCKET" ] && grep -qF "$SOCKET" /proc/net/unix && [ "$(owner_says pins)" != "$PINS" ] || return 0
  fail "The world $(whose) is running with other versions than this clone pins." \
    "Stop it first: 'make down' there or here; its data goes with it."
}
