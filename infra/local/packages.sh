#!/usr/bin/env bash
# Installs the Debian packages of packages.txt that are missing; when all are there nothing is called but dpkg-query. Starts no service.
# `packages.sh --missing` only names them.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.conf

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
missing() {
  comm -23 <(sed -E 's/[[:space:]]*#.*//; /^$/d' "$LOCAL/packages.txt" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

as_root() {
  [ "$EUID" -ne 0 ] || return 0
  command -v sudo >/dev/null || fail "Packages are missing (${MISSING//$'\n'/ }): run this as root or install sudo."
  exec sudo HOME="$HOME" "$BASH" "$0"
}

# Debian starts what it installs; the world runs its own processes instead. What stood there before comes back in any case.
forbid_services() {
  trap allow_services EXIT
  trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
  # a run that was killed left its policy here and the machine's own one beside it: that one is still the one to keep
  if [ -e "$POLICY" ] && [ ! -e "$POLICY.kept" ]; then mv "$POLICY" "$POLICY.kept"; fi
  printf '#!/bin/sh\n# put here by %s while it installs packages\nexit 101\n' "${0##*/}" >"$POLICY.ours"
  chmod 755 "$POLICY.ours"
  mv "$POLICY.ours" "$POLICY"
}
allow_services() {
  rm -f "$POLICY"
  [ ! -e "$POLICY.kept" ] || mv "$POLICY.kept" "$POLICY"
}
# The package would make and keep a database cluster of its own; a machine that already has settings keeps them.
forbid_clusters() {
  [ ! -e "$CLUSTERS" ] || return 0
  mkdir -p "$(dirname "$CLUSTERS")"
  echo 'create_main_cluster = false' >"$CLUSTERS"
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@"; }
install_missing() {
  # shellcheck disable=SC2086 # one package a word
  apt install --no-install-recommends $MISSING
}
main() {
  local log=$PIPELINE_CACHE/log/packages.log
  mkdir -p "${log%/*}"
  say "installing Debian packages: ${MISSING//$'\n'/ }"
  forbid_clusters
  forbid_services
  # lists that are absent or old name files that the mirror no longer has: fetched only then
  install_missing >"$log" 2>&1 || { apt update && install_missing; } >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "The packages could not be installed; the whole log: $log"; }
}

MISSING=$(missing)
[ "${1:-}" != --missing ] || { [ -z "$MISSING" ] || printf '%s\n' "$MISSING"; exit 0; }
[ -n "$MISSING" ] || exit 0
as_root
main
