#!/usr/bin/env bash
# What the cluster must know before anything is installed: types, rights, DNS, gateway. The same again at every start.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
export KUBECONFIG=$PKI/admin.kubeconfig
apply() { kubectl apply --server-side --force-conflicts --field-manager=plugin-pipeline-world "$@" >/dev/null; }

apply -f "$LOCAL/cluster/access.yaml"
# shellcheck disable=SC2016 # envsubst wants the names, not the values
envsubst '$CLUSTER_DNS $GATEWAY_IP' <"$LOCAL/cluster/dns.yaml" | apply -f -
# shellcheck disable=SC2016 # the same
CA_BUNDLE=$(base64 -w0 <"$PKI/ca.crt") envsubst '$GATEWAY_IP $FIGURES_PORT $CA_BUNDLE' <"$LOCAL/cluster/figures.yaml" | apply -f -
apply --recursive -f "$PIPELINE_CRDS"
# An API server killed between accepting a type's names and establishing it forgets the second half until the type is next changed
established() { kubectl wait --for=condition=Established crd --all --timeout="$1" >/dev/null; }
established 5s || { kubectl annotate crd --all --overwrite "plugin-pipeline.io/nudged=$EPOCHSECONDS" >/dev/null && established 30s; }
apply -f "$LOCAL/cluster/gateway.yaml"
# shellcheck disable=SC2016 # the same
envsubst '$CLUSTER_DNS $GATEWAY_IP $POSTGRES_PORT $PREFECT_PORT $REGISTRY_PORT $POD_NETWORK $SERVICE_NETWORK $FIRST_SERVICE $BUILDER_PORT $GATEWAY_PORT $PROMETHEUS_PORT' \
  <"$LOCAL/cluster/pipeline.yaml" | apply -f -
volume() { # name, who may mount it
  # shellcheck disable=SC2016 # the same
  NAME=$1 MODE=$2 envsubst '$NAME $MODE $PIPELINE_STATE $NODE' <"$LOCAL/cluster/volumes.yaml" | apply -f -
}
volume storage ReadWriteOnce
volume trivy ReadOnlyMany
volume plugins ReadOnlyMany
kubectl wait --for=condition=Ready "node/$NODE" --timeout=60s
