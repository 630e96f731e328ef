# shellcheck shell=bash
# Where the local world keeps what it builds and what it runs on; sourced by every script here. Nothing else decides a path or a port.
set -euo pipefail

LOCAL=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for those that source this
ROOT=$(cd "$LOCAL/../.." && pwd)

# Built once a machine, keyed by the pins: survives the clone and the world.
export PIPELINE_CACHE=${PIPELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/plugin-pipeline}
# One world a machine: state, sockets, keys and logs of what runs now; `down` removes it whole.
export PIPELINE_STATE=${PIPELINE_STATE:-/var/lib/plugin-pipeline}

export LOGS=$PIPELINE_STATE/log
export WORLD_ENV=$PIPELINE_STATE/world.env

# Which work pool runs what in the local world: everything in the embedded one, but what tests ask for as Jobs.
export WORK_POOLS=${POOL:-embedded,jobs-*/dev=kubernetes}

# The bridge's gateway address is the one address that host, node and pods all reach: registry, PostgreSQL and Prefect listen there.
export BRIDGE=pp0 POD_NETWORK=10.244.0.0/24 GATEWAY_IP=10.244.0.1
# the address the cluster gives its own API is always the first of the service network
export SERVICE_NETWORK=10.96.0.0/16 FIRST_SERVICE=10.96.0.1 CLUSTER_DNS=10.96.0.10
export REGISTRY_PORT=5000 POSTGRES_PORT=15432 PREFECT_PORT=4200 PROMETHEUS_PORT=9091 GATEWAY_PORT=8888 CLOSED_PORT=8082 BUILDER_PORT=2376 FIGURES_PORT=4443
# the number that the pipeline has in its own image
export PIPELINE_GROUP=10001
export REGISTRY=$GATEWAY_IP:$REGISTRY_PORT
