-- Commands, end to end: ingest hands them to agents and writes down what came of them; timed denials that can be revoked.

-- Only how far a command has come; what was asked for stays as it was written.
GRANT UPDATE (state, delivered_at, accepted_at, gone_at, stayed_gone_at, reconnected_at, reconnected_session_id, failed_at, failure)
    ON session_command TO ovt_ingest;
-- Agents know VPN users by their common names.
GRANT SELECT (id, common_name) ON vpn_user TO ovt_ingest;

-- A VPN user who may not connect to a VPN server for a time: in force until `deny_until` or `revoked_at`, computed when it is read.
CREATE TABLE vpn_denial (
    id                uuid PRIMARY KEY REFERENCES session_command (id),  -- the command that asked for it
    server_id         integer NOT NULL REFERENCES vpn_server (id),
    vpn_user_id       bigint NOT NULL REFERENCES vpn_user (id),
    requested_by      bigint NOT NULL,  -- portal_user.id; its name as it was then, for the record
    requested_by_name text NOT NULL,
    reason            text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    created_at        timestamptz NOT NULL,
    deny_until        timestamptz NOT NULL,
    applied_at        timestamptz,      -- the agent has it in its list
    revoked_at        timestamptz,
    revoked_by        bigint,
    revoked_by_name   text,
    CHECK (deny_until > created_at),
    CHECK ((revoked_at IS NULL) = (revoked_by_name IS NULL))
);
-- GET /api/denials, newest first.
CREATE INDEX vpn_denial_by_time ON vpn_denial (created_at, id);
-- The list of a VPN server.
CREATE INDEX vpn_denial_in_force ON vpn_denial (server_id, deny_until) WHERE revoked_at IS NULL;
GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_by, revoked_by_name) ON vpn_denial TO ovt_query_api;
GRANT SELECT, UPDATE (applied_at) ON vpn_denial TO ovt_ingest;
GRANT SELECT ON vpn_denial TO ovt_reporter;
