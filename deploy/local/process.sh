# shellcheck shell=bash
# Processes that these scripts start and stop. A pid file holds the pid and its start time, so that a pid which the
# system has given to somebody else meanwhile is never signalled. Sourced, never run.

# start_process PIDFILE LOGFILE COMMAND...: in a session of its own, which this terminal's Ctrl-C does not reach.
start_process() {
    local pidfile=$1 logfile=$2
    shift 2
    # 9 is the lock of `up`; a server that inherited it would hold it for ever.
    setsid "$@" </dev/null >>"$logfile" 2>&1 9>&- &
    printf '%s %s\n' "$!" "$(started_at "$!" || echo gone)" >"$pidfile"
}

# started_at PID: the kernel's start time of a living process.
started_at() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} != Z ]] && printf '%s\n' "${fields[19]}"
}

# pid_of PIDFILE: the pid, if that very process still lives.
pid_of() {
    local pid start
    [[ -f $1 ]] && read -r pid start <"$1" || return 1
    [[ $(started_at "$pid") == "$start" ]] && printf '%s\n' "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

# stop_process PIDFILE [SIGNAL [SECONDS]]: waits for the end; kills what does not end in time.
stop_process() {
    local pidfile=$1 signal=${2:-TERM} pid
    if pid=$(pid_of "$pidfile"); then
        kill "-$signal" "$pid" 2>/dev/null || true
        wait_until "${3:-25}" not is_running "$pidfile" || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$pidfile"
}

not() { ! "$@"; }

# wait_until SECONDS COMMAND...: polls; false when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# require_free_port PORT WHAT
require_free_port() {
    ! port_answers "$1" ||
        die "port $1, meant for $2, is taken by another program: stop that one, or choose other ports with PORT_BASE=19400."
}

# wait_for_port PORT PIDFILE LOGFILE WHAT: until it listens; tells at once when the process has ended.
wait_for_port() {
    local deadline=$((SECONDS + 30))
    until port_answers "$1"; do
        is_running "$2" || die "$4 did not start: $(tail -n 1 "$3")"
        ((SECONDS < deadline)) || die "$4 does not listen on port $1 after 30 s; its log is $3."
        sleep 0.05
    done
}
