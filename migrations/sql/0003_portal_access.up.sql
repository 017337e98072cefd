-- Portal sessions, login attempts, second factors. A portal session is one login on one device; it lives by a family of
-- refresh tokens, of which only hashes are kept.

ALTER TABLE portal_user
    -- AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. Set while enrolling, in force once confirmed.
    ADD COLUMN totp_secret          bytea,
    ADD COLUMN totp_confirmed_at    timestamptz,
    -- The last 30-second step whose code was used; a code of this step or an older one is refused.
    ADD COLUMN totp_last_step       bigint,
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
    ADD COLUMN password_changed_at  timestamptz,
    -- Portal users are never erased: the audit log names them.
    ADD COLUMN deleted_at           timestamptz,
    -- Goes up with each edit, so that two editors notice one another.
    ADD COLUMN version              integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT portal_user_totp_confirmed_has_secret CHECK (totp_confirmed_at IS NULL OR totp_secret IS NOT NULL),
    ADD CONSTRAINT portal_user_deleted_is_inactive CHECK (deleted_at IS NULL OR NOT is_active);

ALTER TABLE portal_role ADD COLUMN requires_totp boolean NOT NULL DEFAULT false;

-- Codes for somebody who has lost the second factor; each works once.
CREATE TABLE portal_recovery_code (
    portal_user_id bigint NOT NULL REFERENCES portal_user (id),
    code_sha256    bytea NOT NULL CHECK (octet_length(code_sha256) = 32),
    used_at        timestamptz,
    PRIMARY KEY (portal_user_id, code_sha256)
);

CREATE TABLE portal_session (
    id             uuid PRIMARY KEY,
    portal_user_id bigint NOT NULL REFERENCES portal_user (id),
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    remember_me    boolean NOT NULL,
    ip_address     inet,
    user_agent     text,
    ended_at       timestamptz,
    end_reason     text CHECK (end_reason IN ('logout', 'logout_all', 'signed_out_elsewhere', 'refresh_reused', 'password_changed',
                       'password_reset', 'roles_changed', 'deactivated', 'deleted', 'totp_changed')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
-- A user's living sessions (profile, logout everywhere).
CREATE INDEX portal_session_living ON portal_session (portal_user_id) WHERE ended_at IS NULL;
-- The denylist is filled again from the sessions that ended lately.
CREATE INDEX portal_session_ended ON portal_session (ended_at) WHERE ended_at IS NOT NULL;
-- Sessions long over are removed.
CREATE INDEX portal_session_by_expiry ON portal_session (expires_at);

CREATE TABLE portal_refresh_token (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    session_id   uuid NOT NULL REFERENCES portal_session (id) ON DELETE CASCADE,
    issued_at    timestamptz NOT NULL,
    used_at      timestamptz
);
-- The family of a session.
CREATE INDEX portal_refresh_token_by_session ON portal_refresh_token (session_id);

-- Every login attempt, for history and lockout. A failure that locks the account for its source says until when.
CREATE TABLE login_attempt (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL,
    -- As typed; NULL when it cannot be a username: people type passwords into the wrong field.
    username       text CHECK (length(username) <= 50),
    portal_user_id bigint REFERENCES portal_user (id),
    ip_address     inet,
    -- What lockout counts by: the IPv4 address, or the /64 of an IPv6 address.
    source         cidr NOT NULL,
    user_agent     text,
    outcome        text NOT NULL CHECK (outcome IN ('accepted', 'otp_pending', 'otp_required', 'wrong_otp', 'wrong_password',
                       'unknown_user', 'inactive', 'locked')),
    locked_until   timestamptz,
    -- Does not count any more: an admin unlocked the account.
    forgiven       boolean NOT NULL DEFAULT false
);
-- Lockout: the recent failures of one account from one source.
CREATE INDEX login_attempt_by_account ON login_attempt (lower(coalesce(username, '')), source, at);
-- A user's login history, newest first.
CREATE INDEX login_attempt_by_user ON login_attempt (portal_user_id, at) WHERE portal_user_id IS NOT NULL;
-- Old attempts are removed.
CREATE INDEX login_attempt_by_time ON login_attempt (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON portal_recovery_code, portal_session, portal_refresh_token, login_attempt TO ovt_auth;
GRANT UPDATE (requires_totp) ON portal_role TO ovt_auth;
GRANT SELECT (deleted_at) ON portal_user TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;
