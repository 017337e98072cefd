# shellcheck shell=bash
# Free ports for test servers. Sourced, never run.

# reserve_port VARIABLE: a free port below the range from which the kernel takes ports for outgoing connections (a client
# that reconnects to a stopped server inside that range can end up connected to itself). The lock on a file keeps it for this
# process and for those it starts; crates/test-support takes its ports by the same rule.
reserve_port() {
    local directory=/tmp/openvpn-telemetry-ports-$UID candidate lock
    mkdir -p "$directory"
    while :; do
        candidate=$((20000 + SRANDOM % 10000))
        exec {lock}>"$directory/$candidate"
        if flock --nonblock "$lock" && ! port_answers "$candidate"; then
            printf -v "$1" '%s' "$candidate"
            return
        fi
        exec {lock}>&-
    done
}
