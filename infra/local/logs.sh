#!/usr/bin/env bash
# Keeps the world's logs bounded: one that has grown large is copied to a file beside (the copy before that is lost) and emptied. Every
# process opens its log for appending, so emptying is safe; pods' logs are turned over by kubelet.
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
LARGE=${1:-20M}
while sleep 60; do
  find "$LOGS" -maxdepth 1 -name '*.log' -size "+$LARGE" -print0 | while IFS= read -r -d '' log; do
    cp "$log" "$log.1"
    : >"$log"
  done
done
