# shellcheck shell=bash
# Paths, ports and the two ways to speak. Sourced by every script here, never run.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/deploy/local
# Journeys have a stack of their own beside that of `make up`.
LOCAL=${STACK_DIR:-$ROOT/.local}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/openvpn-telemetry
TOOLS=$CACHE/tools
# Outside the clone, so that a fresh clone does not compile every dependency again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export PATH=$PATH:$TOOLS/bin

PROFILE=${PROFILE:-dev}
PROFILE_DIR=$CARGO_TARGET_DIR/${PROFILE/#dev/debug}
BINARIES=(migrations agent auth audit ingest query-api session-processor realtime-gateway fleet-simulator)
SERVICES=(auth ingest query-api session-processor)
[[ ! -f $ROOT/crates/realtime-gateway/src/lib.rs ]] || SERVICES+=(realtime-gateway)

# What `up` was last told; else the default.
PORT_BASE=${PORT_BASE:-$(cat "$LOCAL/port-base" 2>/dev/null || echo 18400)}
# shellcheck disable=SC2034  # read by the scripts that source this file
declare -A PORT=(
    [nats]=$((PORT_BASE + 22)) [postgres]=$((PORT_BASE + 32)) [redis]=$((PORT_BASE + 79))
    [nginx]=$((PORT_BASE + 80)) [ingest]=$((PORT_BASE + 81)) [auth]=$((PORT_BASE + 82))
    [query-api]=$((PORT_BASE + 83)) [realtime-gateway]=$((PORT_BASE + 84)) [session-processor]=$((PORT_BASE + 85))
)

# say LINE...
say() { printf '%s\n' "$@"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# shellcheck disable=SC2034  # read by the scripts that source this file
readonly ROOT HERE LOCAL CACHE TOOLS PROFILE_DIR BINARIES SERVICES
