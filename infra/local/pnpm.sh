#!/usr/bin/env bash
# Puts a pnpm launcher into the folder $1. pnpm itself is installed once a machine into $PIPELINE_CACHE, with the node in the folder $2 (by
# default the first one on the PATH), from the lock in infra/tools/pnpm: every archive is checked against it, and no script runs.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
BIN=${1:?give the folder for the launcher}
NODE=${2:-$(dirname "$(command -v node)")}
PIN=$(cat "$ROOT"/infra/tools/pnpm/package*.json | sha256sum | cut -c1-16)
HOME_OF_PNPM=$PIPELINE_CACHE/pnpm/$PIN

# Node's wheel brings npm without a working launcher
npm_of_node() {
  local script=$NODE/../lib/node_modules/npm/bin/npm-cli.js
  if [ -f "$script" ]; then PATH=$NODE:$PATH node "$script" "$@"; else PATH=$NODE:$PATH npm "$@"; fi
}

if [ ! -d "$HOME_OF_PNPM" ]; then
  mkdir -p "$PIPELINE_CACHE/pnpm"
  NEW=$(mktemp -d "$PIPELINE_CACHE/pnpm/new.XXXXXX")
  trap 'rm -rf "$NEW"' EXIT
  cp "$ROOT"/infra/tools/pnpm/package*.json "$NEW/"
  (cd "$NEW" && npm_of_node ci --ignore-scripts --no-audit --no-fund --no-update-notifier >&2)
  # two at once: the first one wins, and both are the same
  mv -T "$NEW" "$HOME_OF_PNPM" 2>/dev/null || [ -d "$HOME_OF_PNPM" ]
fi

# pnpm is a program of its own; node runs the hook that narrows ranges, which needs semver
NATIVE=$(echo "$HOME_OF_PNPM"/node_modules/@pnpm/exe.*/pnpm)
mkdir -p "$BIN"
cat >"$BIN/pnpm.new" <<LAUNCHER
#!/bin/sh
PATH="$NODE:\$PATH" NODE_PATH="$HOME_OF_PNPM/node_modules" exec "$NATIVE" "\$@"
LAUNCHER
chmod 755 "$BIN/pnpm.new"
mv "$BIN/pnpm.new" "$BIN/pnpm"
"$BIN/pnpm" --version
