-- What the live portal adds: terminate requests, health over time, bytes by the hour in which they flowed, and a version of
-- each VPN user's metadata.

-- Counts edits of the metadata, so that an edit of an older state is refused. The VPN servers' own facts do not count.
ALTER TABLE vpn_user ADD COLUMN metadata_version integer NOT NULL DEFAULT 1;
-- VPN users whose certificate expires soon.
CREATE INDEX vpn_user_by_cert_expiry ON vpn_user (cert_expiry_at) WHERE cert_expiry_at IS NOT NULL;
GRANT UPDATE (metadata_version) ON vpn_user TO ovt_query_api;

-- What a portal user asks of a VPN server's agent. A command that nobody takes in time is expired from `expires_at` on: that is
-- computed when it is read, so that no row has to be rewritten to be true.
CREATE TABLE session_command (
    id                     uuid PRIMARY KEY,
    session_id             uuid NOT NULL,    -- no foreign key: a session may turn out never to have been
    server_id              integer NOT NULL REFERENCES vpn_server (id),
    vpn_user_id            bigint NOT NULL REFERENCES vpn_user (id),
    kind                   text NOT NULL CHECK (kind IN ('terminate')),
    requested_by           bigint NOT NULL,  -- portal_user.id; its name as it was then, for the record
    requested_by_name      text NOT NULL,
    reason                 text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    deny_until             timestamptz,      -- the VPN user may not connect to that server again before
    requested_at           timestamptz NOT NULL,
    expires_at             timestamptz NOT NULL,
    state                  text NOT NULL DEFAULT 'requested' CHECK (state IN
                               ('requested', 'delivered', 'accepted', 'gone', 'stayed_gone', 'reconnected', 'failed')),
    delivered_at           timestamptz,      -- an agent has it
    accepted_at            timestamptz,      -- the daemon took it
    gone_at                timestamptz,      -- the session has ended
    stayed_gone_at         timestamptz,      -- the VPN user has not come back until here
    reconnected_at         timestamptz,      -- the VPN user has come back
    reconnected_session_id uuid,
    failed_at              timestamptz,
    failure                text,             -- why it failed, for people
    CHECK (expires_at > requested_at),
    CHECK ((state = 'failed') = (failed_at IS NOT NULL))
);
-- Commands of a session (its page), newest first.
CREATE INDEX session_command_by_session ON session_command (session_id, requested_at, id);
-- GET /api/commands, newest first.
CREATE INDEX session_command_by_time ON session_command (requested_at, id);
-- What is still to be delivered or answered, by server.
CREATE INDEX session_command_open ON session_command (server_id, requested_at) WHERE state IN ('requested', 'delivered', 'accepted', 'gone');
GRANT SELECT, INSERT ON session_command TO ovt_query_api;
GRANT SELECT ON session_command TO ovt_ingest, ovt_session_processor, ovt_realtime_gateway, ovt_reporter;

-- Heartbeats over time, at most one a minute and server; kept for HEALTH_SAMPLES_DAYS. Written by session-processor.
CREATE TABLE server_health_sample (
    server_id       integer NOT NULL REFERENCES vpn_server (id),
    minute          timestamptz NOT NULL,    -- our clock: the minute in which the heartbeat arrived
    cpu_percent     double precision,
    memory_percent  double precision,
    load_1m         double precision,
    session_count   bigint,                  -- by the daemon's own count
    active_sessions bigint NOT NULL,         -- by ours
    spool_depth     bigint,
    clock_skew_ms   bigint,
    -- Health history of a server.
    PRIMARY KEY (server_id, minute)
);
-- What is too old to be kept.
CREATE INDEX server_health_sample_by_time ON server_health_sample (minute);
GRANT SELECT, INSERT, UPDATE, DELETE ON server_health_sample TO ovt_session_processor;
GRANT SELECT ON server_health_sample TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;

-- The bytes of each session by the UTC hour in which they flowed, from its counters: between two readings they are spread
-- evenly. Written by session-processor off its hot path; can be computed again from vpn_session and vpn_event at any time.
CREATE TABLE usage_hour (
    -- Derived, so it goes with a session that turns out never to have been.
    session_id  uuid NOT NULL REFERENCES vpn_session (id) ON DELETE CASCADE,
    hour        timestamptz NOT NULL,
    server_id   integer NOT NULL,
    vpn_user_id bigint NOT NULL,
    bytes_in    bigint NOT NULL,
    bytes_out   bigint NOT NULL,
    -- Bytes of one session, and of one VPN user by way of the sessions.
    PRIMARY KEY (session_id, hour)
);
-- Bytes of a range by hour, day, server or VPN user, from the index alone.
CREATE INDEX usage_hour_by_time ON usage_hour (hour) INCLUDE (server_id, vpn_user_id, bytes_in, bytes_out);
-- It grows at its end, by rows that are read at once: keep its index-only scans fast.
ALTER TABLE usage_hour SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_hour TO ovt_session_processor;
GRANT SELECT ON usage_hour TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;

-- How far the bytes are counted, and which replica counts them now.
CREATE TABLE usage_progress (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    recent_until timestamptz,                -- open and recently ended sessions are counted as they were then
    all_until    timestamptz,                -- every session is counted as it was then
    holder       uuid,
    held_until   timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO usage_progress DEFAULT VALUES;
GRANT SELECT, UPDATE ON usage_progress TO ovt_session_processor;
GRANT SELECT ON usage_progress TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;
