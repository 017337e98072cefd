# shellcheck shell=bash
# The services' database roles: each service logs in as `ovt_<service>`. Sourced, never run.

# shellcheck disable=SC2034  # read by the scripts that source this file
DATABASE_SERVICES=(ingest session-processor query-api auth realtime-gateway reporter)
readonly DATABASE_SERVICES

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# password_variable SERVICE: the variable by which `migrations up` is told that role's password
password_variable() {
    local name=${1^^}
    printf 'DB_PASSWORD_%s\n' "${name//-/_}"
}

# url_of SERVICE URL PASSWORD: the same database with that service's own login
url_of() { printf 'postgresql://ovt_%s:%s@%s\n' "${1//-/_}" "$3" "${2##*@}"; }
