#!/usr/bin/env bash
# Prints where Istio's CustomResourceDefinitions are, fetched from the Go module that is pinned in infra/tools/istio. Only a test applies them, to
# see that a real API server takes what we render: no world is made of them, and so this is no unit of tools.sh and no pin of the world's.
# shellcheck source=infra/local/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-modcacherw GOMODCACHE=$PIPELINE_CACHE/go/mod
PIN=$PINNED/istio
read -r MODULE VERSION < <(awk '$1 == "require" {print $2, $3}' "$PIN/go.mod")

found() { "$TOOLCHAIN/go/bin/go" mod download -C "$PIN" -json "$MODULE@$VERSION"; }
# a proxy of modules may fail once
found=$(found || { sleep 3; found; } || { sleep 10; found; })
# where go.sum says nothing, Go is content with a module that is asked for by its version: this is not
grep -qxF "$MODULE $VERSION $(jq -re .Sum <<<"$found")" "$PIN/go.sum" || { echo "$MODULE $VERSION is not what go.sum says" >&2; exit 1; }
echo "$(jq -re .Dir <<<"$found")/kubernetes/customresourcedefinitions.gen.yaml"
