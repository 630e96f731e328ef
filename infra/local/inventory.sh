#!/usr/bin/env bash
# Prints what a world could leave on this machine, one fact a line: compare before `up` and after `down`, they must be equal.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"

facts() { sort | sed "s|^|$1 |"; }
# processes that carry the world's mark or name its folder; this script itself aside
processes_of_the_world() {
  local pid
  for pid in /proc/[0-9]*; do
    case $pid in "/proc/$$" | "/proc/$BASHPID") continue ;; esac
    if grep -qzsxF -- "$MARKER" "$pid/environ" || grep -qasF -- "$PIPELINE_STATE/" "$pid/cmdline"; then
      tr '\0' ' ' <"$pid/cmdline" 2>/dev/null | cut -c1-120 || true
      echo
    fi
  done | sed '/^$/d'
}
# other runtimes live in some of these too: names only, no contents
folders() {
  find /run/containerd /run/nri /run/netns /run/docker /run/postgresql /var/lib/cni /var/lib/containerd /var/lib/docker /var/lib/kubelet \
    /var/log/pods /var/log/containers /opt/containerd /opt/cni /opt/nri /usr/libexec/kubernetes /dev/shm \
    -maxdepth 2 -print 2>/dev/null || true
  find "$(dirname "$PIPELINE_STATE")" -maxdepth 1 -path "$PIPELINE_STATE*" 2>/dev/null || true
}
settings() {
  local name
  for name in net/ipv4/ip_forward net/ipv6/conf/all/forwarding vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/conf/all/route_localnet net/netfilter/nf_conntrack_max \
    net/bridge/bridge-nf-call-iptables; do
    [ ! -r "/proc/sys/$name" ] || echo "$name=$(cat "/proc/sys/$name")"
  done
}
legacy_rules() {
  local tool
  for tool in iptables-legacy-save ip6tables-legacy-save; do
    ! command -v "$tool" >/dev/null || { "$tool" 2>/dev/null | grep '^-A' || true; }
  done
}

processes_of_the_world | facts process
awk '{print $2, $3}' /proc/mounts | facts mount
ip -o link show | awk -F': ' '{print $2}' | facts interface
ip -o addr show | awk '{print $2, $4}' | facts address
ip route show table all | sed 's/ expires [^ ]*//' | facts route
if command -v nft >/dev/null; then nft list tables | facts nftables; fi
legacy_rules | facts iptables
{ find /sys/fs/cgroup -type d \( -path "*/$CGROUP*" -o -name 'kubepods*' -o -name docker \) 2>/dev/null || true; } | facts cgroup
find /etc -type f -printf '%p %s %Ts\n' | facts etc
folders | facts folder
awk 'NR > 1 {print $2}' /proc/sysvipc/shm | facts sysv
settings | facts setting
