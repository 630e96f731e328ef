#!/usr/bin/env bash
# Everything that the world is made of, installed or built where it is missing; a second call takes a second.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"
refuse_other_parts
"$LOCAL/packages.sh"
"$LOCAL/build.sh"
"$LOCAL/pnpm.sh" "$PIPELINE_CACHE/pnpm/bin" "$NODE_BIN" >/dev/null
