#!/usr/bin/env bash
# trivy-db.sh OUT_DIR: a small vulnerability database of Trivy in OUT_DIR/db, built by the real trivy-db from the advisories in tests/cases.
# It knows those few npm packages and nothing else, neither Debian's packages: good for tests and local worlds, never for production.
# shellcheck source=infra/local/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
OUT=${1:?trivy-db.sh OUT_DIR}
ADVISORIES=$ROOT/tests/cases/advisories
# a new day is a new database: one that is a week old is stale, and a stale one refuses every plugin
KEY=$({ cat "$ADVISORIES"/*.json "$LOCAL/trivy-db.sh"; echo "${UNIT_DIR[trivy-db]##*-}"; date -u +%F; } | short_sum)
KEPT=$PIPELINE_CACHE/trivy-db/$KEY
fail() { printf '%s\n' "$*" >&2; exit 1; }

# trivy-db wants the folders of GitHub's advisory database, by the month of publication
lay_out() { # folder
  local file month
  mkdir -p "$1/cocoapods-specs/Specs"
  for file in "$ADVISORIES"/*.json; do
    month=$(jq -r '.published[:7] | sub("-"; "/")' "$file")
    install -D -m 644 "$file" "$1/ghsa/advisories/github-reviewed/$month/$(basename "$file" .json)/$(basename "$file")"
  done
}
# its own name and what it knows nothing of, for every report that is made with it
say_what_it_is() {
  jq -n '{name: "local advisories", unassessed: ["Debian packages", "npm packages without an advisory in tests/cases/advisories"]}'
}
build() {
  [ -x "$BIN/trivy-db" ] || fail "trivy-db is missing: run infra/local/build.sh first."
  mkdir -p "$PIPELINE_CACHE/trivy-db"
  WORK=$(mktemp -d "$PIPELINE_CACHE/trivy-db/new.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  lay_out "$WORK/cache"
  # trivy-db asks the go command for the names of the standard library before it does anything
  PATH=$TOOLCHAIN/go/bin:$PATH GOTOOLCHAIN=local GOCACHE=$WORK/go trivy-db build --only-update ghsa --cache-dir "$WORK/cache" \
    --output-dir "$WORK/out" >"$WORK/log" 2>&1 || { tail -n 20 "$WORK/log" >&2; fail "trivy-db failed."; }
  mkdir "$WORK/done"
  mv "$WORK/out/trivy.db" "$WORK/out/metadata.json" "$WORK/done/"
  say_what_it_is >"$WORK/done/about.json"
  chmod 755 "$WORK/done"
  # two at once: the first one wins, and both are the same
  mv -T "$WORK/done" "$KEPT" 2>/dev/null || [ -d "$KEPT" ]
}

[ -d "$KEPT" ] || build
mkdir -p "$OUT/db"
# a scan that runs now keeps the file that it has open
for file in trivy.db metadata.json about.json; do
  cp "$KEPT/$file" "$OUT/db/$file.new"
  mv "$OUT/db/$file.new" "$OUT/db/$file"
done
find "$PIPELINE_CACHE/trivy-db" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
