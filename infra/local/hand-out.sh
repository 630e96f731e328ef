#!/usr/bin/env bash
# Gives runs as Jobs what they need and no more: for each kind one Secret whose keys are files. Settings are those of this machine with addresses
# that a pod reaches; without KUBECONFIG a run is whoever its ServiceAccount is. The same again whenever something of it changed.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"
export KUBECONFIG=$PKI/admin.kubeconfig
ROOM=$(mktemp -d "$PIPELINE_STATE/run/hand-out.XXXXXX")
trap 'rm -rf "$ROOM"' EXIT

says() { sed -n "s/^$1=//p" "$WORLD_ENV"; }
# where things are in a pod; tools stand in the image, and it names them itself
places() {
  cat <<ENV
EXTRA_CA_BUNDLE=$([ ! -s "$(says EXTRA_CA_BUNDLE)" ] || echo /etc/plugin-pipeline/ca.crt)
SECRETS_DIR=/etc/plugin-pipeline
STORAGE_DIR=/var/lib/plugin-pipeline/storage
STORE_DIR=/var/lib/plugin-pipeline/storage/pnpm
TRIVY_CACHE_DIR=/var/lib/plugin-pipeline/trivy
PLUGIN_DIR=/var/lib/plugin-pipeline/plugins
ENV
}
builder() { printf 'DOCKER_HOST=tcp://%s:%s\nDOCKER_CERT_PATH=/etc/plugin-pipeline\n' "$GATEWAY_IP" "$BUILDER_PORT"; }
shared_settings() { grep -E '^(DATABASE_URL|REGISTRY|PLAIN_REGISTRIES|NPM_REGISTRY|PREFECT_API_URL|PIPELINE_IMAGE|WORK_POOLS)=' "$WORLD_ENV"; places; }
settings_of() { # kind
  case $1 in
    discover) shared_settings ;;
    plan | apply)
      shared_settings
      builder
      grep -E '^(GATEWAY|SERVICE_MESH_PROVIDER|PROMETHEUS_URL|CLOSED_ADDRESS|DNS_CIDRS|PIPELINE_CIDRS|BASE_IMAGE|NODE_IMAGE|PLUGIN_DATABASE_(HOST|PORT))' "$WORLD_ENV"
      ;;&
    apply) grep '^PLUGIN_DATABASE_ADMIN_URL=' "$WORLD_ENV" ;;
  esac | sed "s/127\.0\.0\.1/$GATEWAY_IP/"
}
files_of() { # kind
  local folder=$ROOM/$1
  mkdir "$folder"
  settings_of "$1" >"$folder/pipeline.env"
  sed "s|$PKI/ca.crt|/etc/plugin-pipeline/world.crt|" "$PIPELINE_STATE/prefect/profiles.toml" >"$folder/profiles.toml"
  cp "$PKI/ca.crt" "$folder/world.crt"
  cp "$PIPELINE_STATE/tokens/seals.key" "$folder/"
  [ ! -s "$(says EXTRA_CA_BUNDLE)" ] || cp "$(says EXTRA_CA_BUNDLE)" "$folder/ca.crt"
  [ "$1" != discover ] || return 0
  cp "$PKI/docker-ca.crt" "$folder/ca.pem"
  cp "$PKI/docker-client.crt" "$folder/cert.pem"
  cp "$PKI/docker-client.key" "$folder/key.pem"
}
secret() { # kind
  files_of "$1"
  kubectl create secret generic "run-$1" -n plugin-pipeline --from-file="$ROOM/$1" --dry-run=client -o yaml |
    kubectl apply --server-side --force-conflicts --field-manager=plugin-pipeline-world -f - >/dev/null
}

# What runs as Jobs does so as this group and shares the storage with what runs here. Deeper down everybody may read.
share_storage() {
  mkdir -p "$PIPELINE_STATE/storage"
  find "$PIPELINE_STATE/storage" -maxdepth 3 \( ! -group "$PIPELINE_GROUP" -o ! -perm -g=rw \) -exec chgrp "$PIPELINE_GROUP" {} + -exec chmod g+rwX {} +
  find "$PIPELINE_STATE/storage" -maxdepth 3 -type d ! -perm -g=s -exec chmod g+s {} +
}

share_storage
# the record's seals are signed by one key, here and in Jobs: it is made before it is handed out
"$PIPELINE_VENV/bin/python" -c 'import sys; from pathlib import Path; from blocks.catalog.seals import find_key; find_key(Path(sys.argv[1]))' \
  "$PIPELINE_STATE/tokens/seals.key"
for kind in plan apply discover; do secret "$kind"; done
# a clone may go: plugins that are folders are copied, and a run that reads one keeps what it has open
rm -rf "$PIPELINE_STATE/plugins/new"
cp -a "$(says PLUGIN_DIR)" "$PIPELINE_STATE/plugins/new"
for one in "$PIPELINE_STATE"/plugins/new/*; do
  rm -rf "$PIPELINE_STATE/plugins/${one##*/}"
  mv "$one" "$PIPELINE_STATE/plugins/"
done
rm -rf "$PIPELINE_STATE/plugins/new"
