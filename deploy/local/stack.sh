# shellcheck shell=bash
# What the local stack consists of and where it keeps things. Sourced after env.sh and process.sh, never run.
# shellcheck source=deploy/local/roles.sh
. "$HERE/roles.sh"

SERVERS=(postgres nats redis)
# In the order in which they start; they stop the other way round.
STACK=("${SERVERS[@]}" "${SERVICES[@]}" nginx fleet-simulator)
BASE_URL=http://127.0.0.1:${PORT[nginx]}
DEMO_SERVERS=(vpn-ams-1 vpn-fra-1 vpn-nyc-1)
# shellcheck disable=SC2034  # read by the scripts that source this file
readonly SERVERS STACK BASE_URL DEMO_SERVERS

is_server() { [[ $1 == nginx || " ${SERVERS[*]} " == *" $1 "* ]]; }

is_up() {
    if is_server "$1"; then
        [[ -d $LOCAL/$1 ]] && "$HERE/$1" running "$LOCAL/$1"
    else
        is_running "$LOCAL/run/$1.pid"
    fi
}

take_down() {
    if is_server "$1"; then
        "$HERE/$1" stop "$LOCAL/$1"
    else
        stop_process "$LOCAL/run/$1.pid"
    fi
}

# The services' configuration: what this stack generated, then what the user put into .env, which wins.
load_services_env() {
    set -a
    # shellcheck source=/dev/null
    . "$LOCAL/services.env"
    # shellcheck source=/dev/null
    [[ ! -f $ROOT/.env ]] || . "$ROOT/.env"
    set +a
}

# keep_role_passwords: makes a password for each service's database role, once.
keep_role_passwords() {
    [[ -e $LOCAL/roles.env ]] || (umask 077 && : >"$LOCAL/roles.env")
    local service variable
    for service in "${DATABASE_SERVICES[@]}"; do
        variable=$(password_variable "$service")
        grep -q "^$variable=" "$LOCAL/roles.env" || printf '%s=%s\n' "$variable" "$(random_password)" >>"$LOCAL/roles.env"
    done
}

# as_service NAME COMMAND...: with the database login of that service. DATABASE_URL is the owner's outside.
as_service() {
    local name=$1
    shift
    DATABASE_URL=$(service_url "$name") "$@"
}

# What .env says of a password wins here too.
service_url() (
    variable=$(password_variable "$1")
    # shellcheck source=/dev/null
    [[ -n ${!variable:-} ]] || . "$LOCAL/roles.env"
    url_of "$1" "$DATABASE_URL" "${!variable:?}"
)

# keep_key FILE NAME [OPTION...]: registers the VPN server, with auth's options, and keeps a key for it in FILE, once.
keep_key() {
    local file=$1 name=$2 key
    shift 2
    ! grep -q "^$name=" "$file" 2>/dev/null || return 0
    key=$("$HERE/server" "$name" "$@" 2>/dev/null | tail -n 1)
    [[ -n $key ]] || die "the VPN server $name could not be registered; \`make server NAME=$name\` tells why."
    (umask 077 && printf '%s=%s\n' "$name" "$key" >>"$file")
}

# require_stack: for commands that talk to a running stack
require_stack() {
    { [[ -f $LOCAL/services.env ]] && is_up postgres; } || die "the stack does not run; \`make up\` starts it."
    load_services_env
}
