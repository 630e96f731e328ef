# shellcheck shell=bash
# Where the built tools are, by their pins: sourced, it sets BIN (and puts it on the PATH), NODE_BIN, PIPELINE_CRDS and PINS. Builds nothing.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

PINNED=$ROOT/infra/tools
# in the order in which a world wants them: the cluster first, the scanners while it may already be started
UNITS=(kubernetes etcd containerd process-compose coredns contour metrics-server trivy trufflehog trivy-db cyclonus)
# what `make bench` holds our times against: built when it first measures, by no world
YARDSTICKS=(helm argo-rollouts)
BUILD_FLAGS=(-trimpath -mod=readonly -buildvcs=false)
LINK_FLAGS="-s -w"

short_sum() { sha256sum | cut -c1-12; }
TOOLCHAIN=$PIPELINE_CACHE/toolchain-$(short_sum <"$PINNED/toolchain.txt")
# what decides the bytes of a program: its modules, its flags, the compiler
unit_key() {
  { cat "$PINNED/$1"/go.mod "$PINNED/$1"/go.sum "$PINNED/$1"/unit.env; echo "${BUILD_FLAGS[*]} $LINK_FLAGS ${TOOLCHAIN##*-}"; } | short_sum
}
declare -A UNIT_DIR
for unit in "${UNITS[@]}"; do UNIT_DIR[$unit]=$PIPELINE_CACHE/tools/$unit-$(unit_key "$unit"); done
PINS=$(printf '%s\n' "${UNIT_DIR[@]##*/}" | sort | short_sum)
for unit in "${YARDSTICKS[@]}"; do UNIT_DIR[$unit]=$PIPELINE_CACHE/tools/$unit-$(unit_key "$unit"); done

BIN=$PIPELINE_CACHE/bin-$PINS
NODE_BIN=$TOOLCHAIN/node/bin
PIPELINE_CRDS=$PIPELINE_CACHE/crds-${UNIT_DIR[contour]##*-}
ARGO_CRDS=$PIPELINE_CACHE/crds-${UNIT_DIR[argo-rollouts]##*-}
export PINS BIN NODE_BIN PIPELINE_CRDS ARGO_CRDS TOOLCHAIN
case :$PATH: in *":$BIN:"*) ;; *) export PATH=$BIN:$PATH ;; esac
