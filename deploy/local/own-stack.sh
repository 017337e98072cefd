# shellcheck shell=bash
# A whole stack of its own, beside that of `make up`, which is removed when the script ends. Sourced after env.sh, process.sh
# and ports.sh, never run.

STEPS=(nginx postgres nats redis ingest auth query-api realtime-gateway session-processor)

# free_base: the first of a hundred ports of which those that a stack takes are free
free_base() {
    local base name
    while :; do
        base=$((20000 + SRANDOM % 100 * 100))
        for name in "${STEPS[@]}"; do
            # shellcheck disable=SC2004  # PORT is keyed by names
            ! port_answers $((base + PORT[$name] - PORT_BASE)) || continue 2
        done
        printf '%s\n' "$base"
        return
    done
}

remove_stack() {
    "$HERE/down" >/dev/null 2>&1 || true
    rm -rf "$STACK_DIR"
}

# start_stack WHAT_FOR: settings of services in the environment are handed on.
start_stack() {
    STACK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/openvpn-telemetry-portal.XXXXXX")
    chmod 755 "$STACK_DIR"
    trap remove_stack EXIT
    trap 'exit 130' INT TERM HUP
    PORT_BASE=$(free_base)
    export STACK_DIR PORT_BASE
    say "Starting a stack for $1"
    "$HERE/up" >"$STACK_DIR/up.log" || { cat "$STACK_DIR/up.log" && die "the stack for $1 did not start."; }
}

# load_stack_env: what programs that use the stack have to know
load_stack_env() {
    [[ -f $STACK_DIR/stack.env ]] || die "the stack does not run; \`make up\` starts it."
    set -a
    # shellcheck source=/dev/null
    . "$STACK_DIR/stack.env"
    set +a
    export REDIS_PORT=${REDIS_URL##*:} NATS_PORT=${NATS_URL##*:}
}
