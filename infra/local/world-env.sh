#!/usr/bin/env bash
# Writes down where everything is, as soon as it is known and before the product starts, which reads its settings there.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
# shellcheck source=infra/local/tools.sh
source "$LOCAL/tools.sh"
# shellcheck source=infra/local/ready.sh
source "$LOCAL/ready.sh"
write_world_env
