#!/usr/bin/env bash
# Says what this machine lacks for the local world, in sentences, each with the command that mends it. Changes nothing; 0 when nothing lacks.
# shellcheck source=infra/local/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

# beside those in env.sh: API server, etcd, kubelet, controller manager, scheduler, kube-proxy, CoreDNS, Contour and Envoy, the product
PORTS="$REGISTRY_PORT $POSTGRES_PORT $PREFECT_PORT $PROMETHEUS_PORT $GATEWAY_PORT 6443 2379 2380 2381 10248 10250 10256 10257 10259 1053 18181
  18001 18002 18003 18004 18005 18082 18083 $BUILDER_PORT $FIGURES_PORT 8080 8081 8082 9090"
FAULTS=0
lacks() { FAULTS=$((FAULTS + 1)); printf '%s\n' "- $1"; }
has() { command -v "$1" >/dev/null; }

ROOT_BY=()
check_system() {
  local id version
  # shellcheck source=/dev/null
  id=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") version=$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-0}")
  case $id in *debian*) ;; *) lacks "This is not a Debian: use a machine or a virtual machine with Debian 12." ;; esac
  case $id in debian*) [ "${version%%.*}" = 12 ] || lacks "This is Debian $version, tried is 12: use a machine with Debian 12." ;; esac
  [ "$(uname -m)" = x86_64 ] || lacks "The processor is $(uname -m): the pinned tools are for x86_64. Use such a machine."
}
check_root() {
  [ "$EUID" -ne 0 ] || return 0
  has sudo || { lacks "You are not root and sudo is missing: su -c 'apt-get install sudo && adduser $(id -un) sudo', then log in anew."; ROOT_BY=(false); return 0; }
  if sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; then ROOT_BY=(sudo -n)
  else lacks "sudo wants a password, so the kernel could not be tried: sudo -v && make doctor"; ROOT_BY=(false); fi
}
check_given() {
  local tool
  for tool in python3 make git; do has "$tool" || lacks "$tool is missing: sudo apt-get install $tool"; done
  has python3 || return 0
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || lacks "$(python3 --version) is too old, 3.11 is needed: sudo apt-get install python3"
  python3 -c 'import venv, ensurepip' 2>/dev/null || lacks "python3-venv is missing: sudo apt-get install python3-venv"
}

nearest() { local at=$1; while [ ! -d "$at" ]; do at=$(dirname "$at"); done; echo "$at"; }
check_room() { # folder, gigabytes, for what
  local place free; place=$(nearest "$1")
  free=$(($(df -Pk "$place" | awk 'NR == 2 {print $4}') / 1048576))
  [ "$free" -ge "$2" ] || lacks "$place has $free GB free, $3 wants $2 GB: make room there, or set $4 to a folder on a larger disk."
}
check_size() {
  local memory=$(($(awk '/^MemTotal:/ {print $2}' /proc/meminfo) / 1000000))
  # compiling everything takes 18 GB for a while, of which 8 GB (the modules) stay; what is built takes 2 GB
  if [ "${#UNBUILT[@]}" -eq 0 ]; then check_room "$PIPELINE_CACHE" 5 "what is built" PIPELINE_CACHE
  else check_room "$PIPELINE_CACHE" 25 "the build" PIPELINE_CACHE; fi
  check_room "$PIPELINE_STATE" 10 "the running world (images, databases)" PIPELINE_STATE
  [ "$memory" -ge 6 ] || lacks "There are $memory GB of memory, 6 are needed: use a larger machine."
}

as_root() { "${ROOT_BY[@]}" "$@" >/dev/null 2>&1; }
# each trial happens in name spaces of its own, which vanish with it
check_kernel() {
  [ "${ROOT_BY[*]}" != false ] && has unshare || return 0
  as_root unshare -m sh -c 'mount -t tmpfs none /mnt && mkdir /mnt/a /mnt/b /mnt/c /mnt/d && mount -t overlay none -o lowerdir=/mnt/a,upperdir=/mnt/b,workdir=/mnt/c /mnt/d' ||
    lacks "Overlay file systems cannot be mounted: sudo modprobe overlay (inside a container: run it privileged)."
  as_root unshare -n true || lacks "Network namespaces cannot be made: use a kernel with CONFIG_NET_NS (inside a container: run it privileged)."
  ! has ip || as_root unshare -n ip link add try0 type bridge || lacks "Bridges cannot be made: sudo modprobe bridge"
  ! has ip || as_root unshare -n ip link add try0 type veth peer name try1 || lacks "Virtual cables cannot be made: sudo modprobe veth"
  ! has nft || as_root unshare -n nft 'add table ip try; add chain ip try c { type nat hook postrouting priority srcnat; }; add rule ip try c masquerade' ||
    lacks "nftables cannot translate addresses: sudo modprobe nf_tables nft_masq nft_chain_nat"
  [ -d /proc/sys/net/bridge ] || as_root modprobe -n br_netfilter || lacks "The kernel has no br_netfilter: use Debian's own kernel (linux-image-amd64)."
  grep -qE ' cgroup2? ' /proc/mounts || lacks "No cgroups are mounted: sudo mount -t cgroup2 none /sys/fs/cgroup"
}

# A port may be held by the world itself: its processes carry a mark in their environment.
ours() {
  local pid
  for pid in $("${ROOT_BY[@]}" ss -Hltnp "sport = :$1" 2>/dev/null | grep -oE 'pid=[0-9]+' | cut -d= -f2 | sort -u); do
    "${ROOT_BY[@]}" grep -qzsxF -- "PIPELINE_WORLD=$PIPELINE_STATE" "/proc/$pid/environ" || return 1
  done
}
taken() { ss -Hltn "sport = :$1" | awk '{print $4}' | grep -qE "^(127\.0\.0\.1|$GATEWAY_IP|0\.0\.0\.0|\*|\[::\]|\[::1\]):"; }
check_ports() {
  has ss || return 0
  local port
  for port in $PORTS; do
    taken "$port" && ! ours "$port" && lacks "Port $port is held by another program: see which with sudo ss -ltnp 'sport = :$port', and stop it."
  done
  return 0
}

check_parts() {
  local packages; packages=$("$LOCAL/packages.sh" --missing | tr '\n' ' ')
  [ -z "$packages" ] || lacks "Debian packages are missing (${packages% }): infra/local/packages.sh"
  [ -x "$NODE_BIN/node" ] || lacks "The toolchain (Go, Node, Envoy) is not installed: infra/local/build.sh"
  [ "${#UNBUILT[@]}" -eq 0 ] || lacks "Not built yet (${UNBUILT[*]}), half an hour on two processors: infra/local/build.sh"
}

UNBUILT=()
for unit in "${UNITS[@]}"; do [ -d "${UNIT_DIR[$unit]}" ] || UNBUILT+=("$unit"); done
check_system
check_root
check_given
check_size
check_kernel
check_ports
check_parts
if [ "$FAULTS" -eq 0 ]; then echo "Nothing is missing."; else
  echo "$FAULTS thing$([ "$FAULTS" -eq 1 ] || echo s) missing. 'make run' installs packages and builds tools by itself."
  exit 1
fi
