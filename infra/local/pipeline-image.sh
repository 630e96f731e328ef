#!/usr/bin/env bash
# The pipeline as an image: `pipeline-image.sh name` prints what this clone's is called, without one it is built and pushed unless it is there.
# The name is made of everything that goes in, so a name is never used twice for different things. PUSH_TO names another registry.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"

DOCKER=/usr/bin/docker # a newer client earlier on the PATH does not speak the packaged engine's version
DOCKERFILE=$ROOT/infra/images/pipeline.Dockerfile
CODE=(flows tasks blocks deployments infra/images)
PNPM_HOME=$PIPELINE_CACHE/pnpm/$(cat "$ROOT"/infra/tools/pnpm/package*.json | sha256sum | cut -c1-16)
TO=${PUSH_TO:-$REGISTRY}

code_files() { (cd "$ROOT" && find "${CODE[@]}" -type f -not -name '*.pyc' | LC_ALL=C sort); }
tag() {
  {
    (cd "$ROOT" && code_files | tr '\n' '\0' | xargs -0 sha256sum && sha256sum infra/requirements/run.txt infra/local/pipeline-image.sh)
    echo "${UNIT_DIR[trivy]##*/} ${UNIT_DIR[trufflehog]##*/} ${TOOLCHAIN##*/} ${PNPM_HOME##*/}"
    grep PYTHON_IMAGE "$PIPELINE_STATE/images.env"
  } | short_sum
}
NAME=$TO/plugin-pipeline:$(tag)

# Hard links where the file system allows them: the tools are 400 MB, and the engine takes over only what changed.
lay_out() { # folder
  mkdir -p "$1/tools/bin" "$1/code"
  cp -lL "$BIN/trivy" "$BIN/trufflehog" "$BIN/node" "$1/tools/bin/" 2>/dev/null || cp -L "$BIN/trivy" "$BIN/trufflehog" "$BIN/node" "$1/tools/bin/"
  cp -al "$PNPM_HOME" "$1/tools/pnpm" 2>/dev/null || cp -a "$PNPM_HOME" "$1/tools/pnpm"
  # a folder that was made with mktemp is nobody else's
  chmod 755 "$1/tools/pnpm"
  # the same launcher as pnpm.sh makes, for where things are in the image
  cat >"$1/tools/bin/pnpm" <<'LAUNCHER'
#!/bin/sh
NODE_PATH=/opt/tools/pnpm/node_modules exec /opt/tools/pnpm/node_modules/@pnpm/exe.linux-x64/pnpm "$@"
LAUNCHER
  chmod 755 "$1/tools/bin/pnpm"
  touch -d @0 "$1/tools/bin/pnpm"
  cp "$ROOT/infra/requirements/run.txt" "$1/requirements.txt"
  code_files | tar -C "$ROOT" -cf - -T - | tar -C "$1/code" -xf -
  chmod -R a+rX,go-w "$1/code" "$1/requirements.txt"
}
build() {
  local room secrets=() python; room=$(mktemp -d "$PIPELINE_CACHE/images/context.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$room'" EXIT
  lay_out "$room"
  python=$(sed -n 's/^PYTHON_IMAGE=//p' "$PIPELINE_STATE/images.env")
  [ ! -s "${SSL_CERT_FILE:-}" ] || secrets+=(--secret "id=ca,src=$SSL_CERT_FILE")
  [ ! -s /etc/pip.conf ] || secrets+=(--secret id=pip,src=/etc/pip.conf)
  # BuildKit does not pull from a registry without TLS: the engine does
  "$DOCKER" image inspect "$python" >/dev/null 2>&1 || "$DOCKER" pull -q "$python" >/dev/null
  DOCKER_BUILDKIT=1 "$DOCKER" build --progress plain --network host "${secrets[@]}" --build-arg "PYTHON_IMAGE=$python" \
    --build-arg "REVISION=$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo unknown)" -f "$DOCKERFILE" -t "$NAME" "$room"
  "$DOCKER" push -q "$NAME"
}
is_pushed() {
  curl -sfI --noproxy '*' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$TO/v2/plugin-pipeline/manifests/${NAME##*:}" >/dev/null
}

export DOCKER_HOST=${DOCKER_HOST:-unix://$PIPELINE_STATE/docker.sock}
LOG=$PIPELINE_CACHE/log/pipeline-image.log
case ${1:-} in
  name) echo "$NAME"; exit ;;
  build) build; exit ;;
esac
# a process of its own, since bash forgets `set -e` in whatever stands before a `||`
is_pushed || "$BASH" "$0" build >"$LOG" 2>&1 || { tail -n 20 "$LOG" >&2; fail "The pipeline's image could not be made; the whole log: $LOG"; }
say "The pipeline's image: $NAME"
