#!/usr/bin/env bash
# Makes the images that everything else stands on, once a machine, from Debian packages and the pinned Node: `pause`, `base`, `node`, `python`, kept as
# docker archives in $PIPELINE_CACHE/images. `base-images.sh push` also puts them into $REGISTRY through DOCKER_HOST and prints their digests.
# shellcheck source=infra/local/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
# shellcheck source=infra/local/base-root.sh
source "$LOCAL/base-root.sh"

DOCKER=/usr/bin/docker # a newer client earlier on the PATH does not speak the packaged engine's version
RECIPE=$(cat "$LOCAL/base-images.sh" "$LOCAL/base-root.sh" "$PINNED/toolchain.txt" | short_sum)
IMAGES=$PIPELINE_CACHE/images/$RECIPE
say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# The same files give the same bytes: names sorted, owners numbered, no time of reading or changing.
layer() { # folder, archive
  tar --create --file="$2" --directory="$1" --sort=name --numeric-owner --format=posix --pax-option=delete=atime,delete=ctime --one-file-system .
}
sum_of() { sha256sum "$1" | cut -d' ' -f1; }
# A docker archive written by hand: the engine's own `import` puts the time of day into it, and each push would be another image.
archive() { # name, container configuration as JSON, layers (tar files) from the lowest
  local name=$1 settings=$2 sums config; shift 2
  sums=$(for file in "$@"; do sum_of "$file"; done | jq -R '"sha256:" + .' | jq -sc .)
  config=$(jq -nc --argjson sums "$sums" --argjson settings "$settings" '{architecture: "amd64", os: "linux", created: "1970-01-01T00:00:00Z",
    config: $settings, rootfs: {type: "layers", diff_ids: $sums}, history: [$sums[] | {created: "1970-01-01T00:00:00Z"}]}')
  mkdir "$WORK/$name"
  local file; for file in "$@"; do cp --reflink=auto "$file" "$WORK/$name/$(sum_of "$file").tar"; done
  printf %s "$config" >"$WORK/$name/config.json"
  jq -nc --argjson sums "$sums" '[{Config: "config.json", Layers: [$sums[] | ltrimstr("sha256:") + ".tar"]}]' >"$WORK/$name/manifest.json"
  tar -cf "$WORK/done/$name.tar" -C "$WORK/$name" .
  sum_of "$WORK/$name/config.json" >"$WORK/done/$name.id"
}

make_pause() {
  mkdir "$WORK/pause-root"
  install -m 755 /usr/bin/catatonit "$WORK/pause-root/pause"
  touch -d @0 "$WORK/pause-root/pause" "$WORK/pause-root"
  layer "$WORK/pause-root" "$WORK/pause.tar"
  archive pause '{"Entrypoint": ["/pause", "-P"], "User": "65535:65535"}' "$WORK/pause.tar"
}
make_node() {
  install -D -m 755 "$NODE_BIN/node" "$WORK/node-root/usr/local/bin/node"
  chroot "$WORK/root" /bin/sh -c 'cat >/tmp/node && chmod 755 /tmp/node && /tmp/node --version; rm /tmp/node' <"$NODE_BIN/node" >/dev/null ||
    fail "The pinned Node does not run on this Debian."
  find "$WORK/node-root" -exec touch -hd @0 {} +
  layer "$WORK/node-root" "$WORK/node.tar"
}
make_all() {
  WORK=$(mktemp -d "$PIPELINE_CACHE/images/new.XXXXXX")
  trap 'rm -rf --one-file-system "$WORK"' EXIT
  chmod 755 "$WORK"; mkdir "$WORK/done"
  local log=$PIPELINE_CACHE/log/base-images.log path='"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
  say "making the base images: Debian by debootstrap, about a minute"
  # in the background, since bash forgets `set -e` in whatever stands before a `||`
  make_root "$WORK/root" "$WORK/python-root" >"$log" 2>&1 &
  wait $! || { tail -n 20 "$log" >&2; fail "debootstrap failed; the whole log: $log"; }
  layer "$WORK/root" "$WORK/root.tar"
  layer "$WORK/python-root/new" "$WORK/python.tar"
  umount "$WORK/python-root"
  make_pause
  make_node
  archive base "{$path, \"Cmd\": [\"bash\"]}" "$WORK/root.tar"
  archive node "{$path, \"Cmd\": [\"node\"]}" "$WORK/root.tar" "$WORK/node.tar"
  archive python "{$path, \"Cmd\": [\"python3\"]}" "$WORK/root.tar" "$WORK/python.tar"
  rm -rf "$IMAGES"
  mv -T "$WORK/done" "$IMAGES"
}
ensure() {
  [ ! -d "$IMAGES" ] || return 0
  [ "$EUID" -eq 0 ] || fail "debootstrap makes device files: run base-images.sh as root."
  [ -x "$NODE_BIN/node" ] || fail "Node is missing: run infra/local/build.sh first."
  mkdir -p "$PIPELINE_CACHE/images" "$PIPELINE_CACHE/log"
  # mounts of a making that is interrupted die with its own mount namespace
  unshare --mount --propagation private "$BASH" "$0" make
}

digest() { # name:tag; nothing when the registry does not have it
  curl -sfI --noproxy '*' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$REGISTRY/v2/${1%:*}/manifests/${1##*:}" |
    tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" {print $2}' || true
}
push() { # image, name:tag
  local found; found=$(digest "$2")
  if [ -z "$found" ]; then
    "$DOCKER" load -q -i "$IMAGES/$1.tar" >&2
    "$DOCKER" tag "sha256:$(<"$IMAGES/$1.id")" "$REGISTRY/$2"
    "$DOCKER" push -q "$REGISTRY/$2" >&2
    found=$(digest "$2")
  fi
  [ -n "$found" ] || fail "The registry $REGISTRY does not have $2 after the push."
  echo "${1^^}_IMAGE=$REGISTRY/${2%:*}@$found"
}
tagged() { echo "$1-$(cut -c1-12 "$IMAGES/$2.id")"; }

case ${1:-} in
  make) make_all ;;
  push)
    ensure
    push pause base/pause:1
    push base "$(tagged base/debian:12 base)"
    push node "$(tagged base/node:24 node)"
    push python "$(tagged base/python:3 python)"
    ;;
  '') ensure ;;
  *) fail "base-images.sh [push]" ;;
esac
