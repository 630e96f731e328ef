#!/usr/bin/env bash
# Makes this machine the cluster's node: a bridge that owns the gateway address, NAT for pods, a cgroup. clear.sh takes all of it back.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"

# Kernel settings that kubelet and CNI change; the first start's values are kept for the day the world is taken down.
SETTINGS='net/ipv4/ip_forward net/ipv6/conf/all/forwarding vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/conf/all/route_localnet net/bridge/bridge-nf-call-iptables'
remember_machine() {
  [ ! -f "$PIPELINE_STATE/settings" ] || return 0
  local name
  for name in "${FOREIGN_FOLDERS[@]}"; do [ ! -d "$name" ] || echo "$name"; done >"$PIPELINE_STATE/folders"
  for name in $SETTINGS; do
    [ ! -r "/proc/sys/$name" ] || printf '%s=%s\n' "$name" "$(cat "/proc/sys/$name")"
  done >"$PIPELINE_STATE/settings.new"
  mv "$PIPELINE_STATE/settings.new" "$PIPELINE_STATE/settings"
}

bridge() {
  [ -d "/sys/class/net/$BRIDGE" ] || ip link add "$BRIDGE" type bridge
  ip addr replace "$GATEWAY_IP/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  # without kube-proxy's rules, service addresses must not leave the machine by its default route
  ip route replace "$SERVICE_NETWORK" dev "$BRIDGE" src "$GATEWAY_IP"
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # answers of a Service between two pods of the bridge must pass the rules that know the connection
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables ||
    fail "The kernel module br_netfilter is missing: pods would not reach each other's Services. Load it with 'modprobe br_netfilter'."
}

# People and tests call pages and plugins at 127.0.0.1; pods cannot, so that those listen on the gateway address alone.
# A table of our own instead of the CNI plugin's iptables rules: one line takes it back, and iptables is not needed.
masquerade() {
  nft -f - <<NFT
table ip $NFT_TABLE
delete table ip $NFT_TABLE
table ip $NFT_TABLE {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr $POD_NETWORK ip daddr != $POD_NETWORK ip daddr != $SERVICE_NETWORK oifname != "$BRIDGE" masquerade
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr 127.0.0.1 tcp dport { $PREFECT_PORT, $GATEWAY_PORT, $PROMETHEUS_PORT } dnat to $GATEWAY_IP
  }
}
NFT
}

# kubelet wants its root in every hierarchy; a v1 cpuset is unusable until it is told its CPUs and memory.
cgroups() {
  local tree file
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers | while read -r file; do
      echo "+$file" >/sys/fs/cgroup/cgroup.subtree_control || true
    done
    mkdir -p "/sys/fs/cgroup/$CGROUP"
    return
  fi
  awk '$3 == "cgroup" {print $2}' /proc/mounts | while read -r tree; do
    mkdir -p "$tree/$CGROUP"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -f "$tree/$file" ] || cat "$tree/$file" >"$tree/$CGROUP/$file"
    done
  done
}

[ -d /proc/sys/net/bridge ] || modprobe br_netfilter || true
remember_machine
bridge
masquerade
cgroups
