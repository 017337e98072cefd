-- The spine: servers, keys, VPN users, sessions, events and what is known to be missing; portal users; the audit log.
-- Every index names the query it exists for. History is never removed by a cascade.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Registry of VPN servers. `name` is the agent's `server_id` and the API's `server_instance`.
CREATE TABLE vpn_server (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    description  text NOT NULL DEFAULT '',
    -- The daemon runs with `duplicate-cn`: one common name may have several sessions at once.
    duplicate_cn boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz
);

-- API keys of agents, `ovt_<key_id>_<secret>`; only the SHA-256 of the secret is kept.
CREATE TABLE server_api_key (
    key_id        text PRIMARY KEY CHECK (key_id ~ '^[a-z0-9]{12}$'),
    server_id     integer NOT NULL REFERENCES vpn_server (id),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    label         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);
-- Keys of one server (server page, rotation).
CREATE INDEX server_api_key_by_server ON server_api_key (server_id);

-- What session-processor knows of each server; one row a server, locked while a batch of its events is applied.
CREATE TABLE vpn_server_state (
    server_id         integer PRIMARY KEY REFERENCES vpn_server (id),
    last_heard_at     timestamptz,           -- our clock: arrival of anything from its agent
    last_event_at     timestamptz,           -- its clock: the latest event time
    last_shared_at    timestamptz,           -- its clock: the latest start, stop, boot or snapshot
    last_proof_at     timestamptz,           -- its clock: the latest update or snapshot
    clock_skew_ms     bigint,                -- its clock minus ours, smallest delay seen in the last request
    boot_id           uuid,                  -- the boot with the latest start
    withdrawn_version integer NOT NULL DEFAULT 0, -- highest version of a withdrawn session: should its id come back, it goes on from here
    last_heartbeat_at timestamptz,
    cpu_percent       double precision,
    memory_percent    double precision,
    load_1m           double precision,
    openvpn_version   text,
    agent_version     text,
    uptime_seconds    bigint,
    session_count     bigint,
    dco               boolean,
    spool_depth       bigint,
    oldest_unsent_at  timestamptz
) WITH (fillfactor = 50);

CREATE TYPE user_type AS ENUM ('internal', 'external', 'contractor', 'guest');
CREATE TYPE business_status AS ENUM ('active', 'suspended', 'terminated');

-- VPN users come into being by their first event or by inventory. Whether one is active now follows from its sessions.
CREATE TABLE vpn_user (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    common_name      text NOT NULL UNIQUE CHECK (length(common_name) BETWEEN 1 AND 255),
    full_name        text,
    email            text,
    contact_no       text,
    user_type        user_type,
    business_status  business_status,
    cert_expiry_at   timestamptz,
    revoked_at       timestamptz,
    last_vpn_seen_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
-- `search` of VPN users and sessions: substring of common name, full name or e-mail.
CREATE INDEX vpn_user_search ON vpn_user USING gin (common_name gin_trgm_ops, full_name gin_trgm_ops, email gin_trgm_ops);

CREATE TABLE vpn_user_ccd (
    vpn_user_id      bigint NOT NULL REFERENCES vpn_user (id),
    server_id        integer NOT NULL REFERENCES vpn_server (id),
    ifconfig_ip      inet,
    ifconfig_netmask inet,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (vpn_user_id, server_id)
);

CREATE TABLE vpn_user_route (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vpn_user_id bigint NOT NULL REFERENCES vpn_user (id),
    server_id   integer NOT NULL REFERENCES vpn_server (id),
    route_type  text NOT NULL CHECK (route_type IN ('push', 'iroute')),
    network     inet NOT NULL,
    netmask     inet NOT NULL,
    gateway     inet,
    comment     text,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
-- Routes of one VPN user (detail page).
CREATE INDEX vpn_user_route_by_user ON vpn_user_route (vpn_user_id);

CREATE TYPE session_status AS ENUM ('active', 'disconnected', 'timeout');
CREATE TYPE session_end AS ENUM ('reported', 'superseded', 'server_restart', 'reconciled', 'timeout', 'terminated');
CREATE TYPE bytes_source AS ENUM ('final', 'last_poll', 'missing');

-- The sessions, as domain::timeline derives them from the events. Written by session-processor only.
CREATE TABLE vpn_session (
    id                uuid PRIMARY KEY,      -- event_id of the connect event
    server_id         integer NOT NULL REFERENCES vpn_server (id),
    vpn_user_id       bigint NOT NULL REFERENCES vpn_user (id),
    connected_at      timestamptz NOT NULL,
    last_seen_at      timestamptz NOT NULL,  -- last proof of life: the lower bound of an end nobody reported
    disconnected_at   timestamptz,           -- the reported time, or last_seen_at
    end_not_after     timestamptz,           -- first disproof of life; null while nothing speaks against it
    session_status    session_status NOT NULL,
    ended_by          session_end,
    disconnect_reason text,
    opened_by_snapshot boolean NOT NULL DEFAULT false,
    early_event_at    timestamptz,           -- the earliest of its events that is stamped before the connect
    real_ip           inet,
    real_port         integer,
    virtual_ip        inet,
    virtual_ip6       inet,
    bytes_in          bigint,
    bytes_out         bigint,
    bytes_in_base     bigint NOT NULL DEFAULT 0,  -- sum of counter segments closed by a reset
    bytes_out_base    bigint NOT NULL DEFAULT 0,
    bytes_source      bytes_source,
    duration_seconds  bigint,                -- the daemon's own figure, where it gave one
    username          text,
    cid               bigint,
    client_platform   text,
    client_version    text,
    client_gui        text,
    cipher            text,
    version           integer NOT NULL DEFAULT 1, -- counts changes; live cache and realtime keep the highest
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (last_seen_at >= connected_at),
    CHECK (disconnected_at >= connected_at),
    CHECK ((session_status = 'active') = (ended_by IS NULL)),
    CHECK ((ended_by IS NULL) = (disconnected_at IS NULL))
) WITH (fillfactor = 85);
-- Lists by time: the default order of GET /api/sessions, its date range, sessions today, exports.
CREATE INDEX vpn_session_by_time ON vpn_session (connected_at, id);
-- Sessions of a VPN user; the processor's look-up of a user's sessions on a server.
CREATE INDEX vpn_session_by_user ON vpn_session (vpn_user_id, connected_at, id);
-- Sessions of a VPN server; the processor's restarts and snapshots.
CREATE INDEX vpn_session_by_server ON vpn_session (server_id, connected_at, id);
-- Open sessions: live list and counts, timeouts, cache rebuild; the processor's look-up of what an event may concern.
CREATE INDEX vpn_session_open ON vpn_session (server_id, vpn_user_id) WHERE session_status <> 'disconnected';
-- The processor's look-up of who holds the address that a connect takes.
CREATE INDEX vpn_session_open_ip ON vpn_session (server_id, virtual_ip) WHERE session_status <> 'disconnected';
CREATE INDEX vpn_session_open_ip6 ON vpn_session (server_id, virtual_ip6)
    WHERE session_status <> 'disconnected' AND virtual_ip6 IS NOT NULL;
-- Last disconnects; the processor's look-up of sessions that a late restart or snapshot may concern.
CREATE INDEX vpn_session_by_end ON vpn_session (end_not_after) WHERE end_not_after IS NOT NULL;
-- Identity at an instant, and who holds an address that a connect takes over.
CREATE INDEX vpn_session_by_virtual_ip ON vpn_session (virtual_ip, server_id, connected_at) WHERE virtual_ip IS NOT NULL;
CREATE INDEX vpn_session_by_virtual_ip6 ON vpn_session (virtual_ip6, server_id, connected_at) WHERE virtual_ip6 IS NOT NULL;
-- Identity by real address, address and CIDR filters.
CREATE INDEX vpn_session_by_real_ip ON vpn_session (real_ip, connected_at) WHERE real_ip IS NOT NULL;

CREATE TYPE event_type AS ENUM
    ('SERVER_STARTED', 'SESSION_CONNECTED', 'SESSION_UPDATED', 'SESSION_SNAPSHOT', 'SESSION_DISCONNECTED', 'SERVER_STOPPED');

-- Every event as it was accepted; the sessions can be computed again from here. Monthly partitions by event time.
CREATE TABLE vpn_event (
    event_id    uuid NOT NULL,
    event_time  timestamptz NOT NULL,        -- the VPN server's clock
    server_id   integer NOT NULL,
    vpn_user_id bigint,                      -- null for server events and snapshots
    session_id  uuid,                        -- the session it was matched to; null: unmatched, or about the server
    event_type  event_type NOT NULL,
    boot_id     uuid,
    seq         bigint,
    received_at timestamptz NOT NULL,        -- ingest's clock
    body        jsonb NOT NULL,              -- array of what the event says of each session
    PRIMARY KEY (event_id, event_time)
) PARTITION BY RANGE (event_time);
-- Events of one user on one server in order (replay of a late event, a session's own events), and of the server itself.
CREATE INDEX vpn_event_by_track ON vpn_event (server_id, vpn_user_id, event_time);

-- Creates the monthly partition that holds `at`, unless it is there. Takes a lock, so that replicas may race. There is no default
-- partition: it would keep "the latest event of a track" from stopping at the newest month that has one.
CREATE FUNCTION ensure_event_partition(at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
    name text := 'vpn_event_' || to_char(month, 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ensure_event_partition'));
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF vpn_event FOR VALUES FROM (%L) TO (%L)',
            name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    END IF;
END $$;

-- Events that name a session nobody has opened yet: they wait for it, for ever if need be.
CREATE TABLE unmatched_event (
    event_id    uuid PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES vpn_server (id),
    vpn_user_id bigint NOT NULL REFERENCES vpn_user (id),
    event_time  timestamptz NOT NULL,
    event_type  event_type NOT NULL,
    session_id  uuid                         -- as the agent named it
);
-- The processor's look-up when a session of that user opens.
CREATE INDEX unmatched_event_by_track ON unmatched_event (server_id, vpn_user_id, event_time);
-- GET /api/events/unmatched.
CREATE INDEX unmatched_event_by_time ON unmatched_event (event_time, event_id);

-- Boots of each server and how far their numbering has come. An agent that names no boot has the nil UUID.
CREATE TABLE server_boot (
    server_id     integer NOT NULL REFERENCES vpn_server (id),
    boot_id       uuid NOT NULL,
    started_at    timestamptz NOT NULL,      -- its earliest event
    lowest_seq    bigint,
    lowest_seq_at timestamptz,
    highest_seq   bigint,
    highest_seq_at timestamptz,
    PRIMARY KEY (server_id, boot_id)
) WITH (fillfactor = 50);
-- The next boot after an instant ends older sessions.
CREATE INDEX server_boot_by_start ON server_boot (server_id, started_at);

-- Missing numbers, as ranges; closed when late events arrive. `after_time`/`before_time` are the neighbours' event times.
CREATE TABLE event_gap (
    server_id   integer NOT NULL REFERENCES vpn_server (id),
    boot_id     uuid NOT NULL,
    from_seq    bigint NOT NULL,
    to_seq      bigint NOT NULL,
    after_time  timestamptz,
    before_time timestamptz NOT NULL,
    PRIMARY KEY (server_id, boot_id, from_seq),
    CHECK (from_seq <= to_seq)
);
-- Gaps that touch an interval (identity, exports, server page).
CREATE INDEX event_gap_by_time ON event_gap (server_id, before_time);

-- Events refused at validation or isolated as poison.
CREATE TABLE dead_letter (
    id          uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    server_id   integer,
    server_name text NOT NULL,
    event_id    text,
    error       text NOT NULL,
    detail      text NOT NULL,
    event_json  text NOT NULL,
    request_id  text NOT NULL
);
-- GET /api/events/rejected, newest first.
CREATE INDEX dead_letter_by_time ON dead_letter (received_at, id);

CREATE TABLE portal_user (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username             text NOT NULL CHECK (username ~ '^[A-Za-z0-9_]{3,50}$'),
    password_hash        text NOT NULL,
    email                text,
    is_active            boolean NOT NULL DEFAULT true,
    token_version        integer NOT NULL DEFAULT 1,
    last_portal_login_at timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX portal_user_username ON portal_user (lower(username));

CREATE TABLE portal_role (
    id          integer PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL
);
INSERT INTO portal_role (id, name, description) VALUES
    (1, 'admin', 'Full access: portal users, VPN servers, API keys, terminations, audit log'),
    (2, 'operator', 'Operations: VPN-user metadata, reports and schedules'),
    (3, 'viewer', 'Read-only: dashboards, sessions, VPN users, servers, analytics'),
    (4, 'auditor', 'Audit: everything a viewer sees, the audit log, compliance reports');

CREATE TABLE portal_user_role (
    portal_user_id bigint NOT NULL REFERENCES portal_user (id),
    portal_role_id integer NOT NULL REFERENCES portal_role (id),
    PRIMARY KEY (portal_user_id, portal_role_id)
);

-- Public halves of the keys that sign access tokens; every service verifies with these.
CREATE TABLE token_signing_key (
    kid        text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);

CREATE TABLE audit_log (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at           timestamptz NOT NULL DEFAULT now(),
    actor_portal_user_id bigint REFERENCES portal_user (id),
    actor_name           text NOT NULL,
    action               text NOT NULL CHECK (action IN ('create', 'update', 'delete', 'revoke', 'approve', 'login',
                             'login_failed', 'logout', 'export', 'terminate', 'reset_password')),
    object_type          text NOT NULL,
    object_id            text,
    details_json         jsonb NOT NULL DEFAULT '{}',
    ip_address           inet,
    user_agent           text,
    request_id           text
);
-- The audit page, newest first.
CREATE INDEX audit_log_by_time ON audit_log (created_at, id);
