#!/usr/bin/env bash
# Takes back what a world left on this machine: processes, pods, mounts, interfaces, rules, cgroups, sockets. Data stays (databases,
# images, keys), runtime state goes. It believes no pid file: it asks the kernel, so it works after kill -9 of everything and a reboot.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
[ "$EUID" -eq 0 ] || fail "clear.sh is called by up.sh and down.sh, as root."

# this script and who called it may carry the marker too, when a test inside the world calls them
ancestors() { local pid=$$; while [ "$pid" -gt 1 ]; do echo "$pid"; pid=$(awk '/^PPid:/ {print $2}' "/proc/$pid/status"); done; }
marked() { { grep -lzsxF -- "$MARKER" /proc/[0-9]*/environ || true; } | cut -d/ -f3 | grep -vxFf <(ancestors) || true; }
send() { xargs -r kill "-$1" 2>/dev/null || true; }
nobody_after() { # tenths of a second, command that lists processes
  local turns=$1; shift
  for ((; turns > 0; turns--)); do [ -n "$("$@")" ] || return 0; sleep 0.1; done
  return 1
}
supervisors() { local pid; for pid in $(marked); do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != process-compose ] || echo "$pid"; done; }
# the supervisor first, or it would start again what dies next; then politely (PostgreSQL writes its checkpoint), then for good
stop_processes() {
  supervisors | send KILL
  marked | send TERM
  nobody_after 50 marked || marked | send KILL
  nobody_after 50 marked || fail "These processes of the world do not end: $(marked | tr '\n' ' ')"
}

# what runs in containers dies with neither shim nor engine, and has none of our environment: its cgroup knows it
groups() { find /sys/fs/cgroup -depth -type d \( -path "*/$CGROUP" -o -path "*/$CGROUP/*" \) 2>/dev/null || true; }
contained() { groups | sed 's|$|/cgroup.procs|' | xargs -r cat 2>/dev/null | sort -u || true; }
stop_containers() {
  contained | send KILL
  nobody_after 100 contained || fail "These processes in containers do not end: $(contained | tr '\n' ' ')"
  local turn
  for turn in 1 2 3 4 5; do groups | xargs -r rmdir 2>/dev/null || true; [ -n "$(groups)" ] || return 0; sleep "0.$turn"; done
}

unmount() {
  local turn
  for turn in 1 2 3; do
    awk -v s="$PIPELINE_STATE/" 'index($2, s) == 1 {print $2}' /proc/mounts | sort -r | xargs -r -n1 umount -l 2>/dev/null || true
    grep -qF " $PIPELINE_STATE/" /proc/mounts || return 0
    sleep "0.$turn"
  done
  fail "Something is still mounted below $PIPELINE_STATE, and removing a folder would reach through it: see /proc/mounts."
}

network() {
  [ ! -d "/sys/class/net/$BRIDGE" ] || ip link del "$BRIDGE"
  command -v nft >/dev/null || return 0
  local table
  for table in "ip $NFT_TABLE" "ip kube-proxy" "ip6 kube-proxy"; do
    # shellcheck disable=SC2086 # family and name are two words
    nft delete table $table 2>/dev/null || true
  done
}

# folders that kubelet and containerd fix outside ours: only dead sockets and links into our logs are taken, other runtimes keep theirs
strays() {
  local path
  for path in /run/containerd/s/* /var/lib/kubelet/device-plugins/kubelet.sock; do
    [ ! -S "$path" ] || grep -qF "$path" /proc/net/unix || rm -f "$path"
  done
  for path in /var/log/containers/*; do
    case $(readlink "$path" || true) in "$LOGS"/*) rm -f "$path" ;; esac
  done
  rm -f /var/lib/cni/results/plugin-pipeline-*
  # folders that were here before the first start stay, even empty
  for path in "${FOREIGN_FOLDERS[@]}"; do
    grep -qsxF "$path" "$PIPELINE_STATE/folders" || rmdir "$path" 2>/dev/null || true
  done
}

settings() {
  [ -f "$PIPELINE_STATE/settings" ] || return 0
  local name value
  while IFS='=' read -r name value; do
    [ "$(cat "/proc/sys/$name")" = "$value" ] || echo "$value" >"/proc/sys/$name" || true
  done <"$PIPELINE_STATE/settings"
  rm -f "$PIPELINE_STATE/settings"
}

stop_processes
stop_containers
unmount
network
strays
settings
rm -rf "$PIPELINE_STATE"/{containerd,kubelet,cni,docker-run,docker.sock,config,postgres/data.new,pki.new,world.env}
# last: while this folder is there, the next start clears again
rm -rf "$PIPELINE_STATE/run"
