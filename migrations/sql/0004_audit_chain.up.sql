-- The audit log becomes a chain: each entry holds the hash of the one before, numbers have no gaps, and one function is the
-- only way in. docs/audit.md says what that proves. Only the owner could do more, and the verifier finds that.

CREATE TEMPORARY TABLE audit_log_unchained AS SELECT * FROM audit_log;
DROP TABLE audit_log;

CREATE TABLE audit_log (
    id                   bigint PRIMARY KEY CHECK (id > 0), -- from 1, without gaps, in the order of commits
    created_at           timestamptz NOT NULL,
    actor_portal_user_id bigint REFERENCES portal_user (id),
    actor_name           text NOT NULL,
    action               text NOT NULL CONSTRAINT audit_log_action CHECK (action IN ('create', 'update', 'delete', 'revoke',
                             'approve', 'login', 'login_failed', 'logout', 'logout_all', 'lockout', 'unlock', 'export',
                             'terminate', 'reset_password', 'change_password', 'mfa_enable', 'mfa_disable',
                             'recovery_code_used', 'permission_denied', 'refresh_reused')),
    object_type          text NOT NULL,
    object_id            text,
    details_json         json NOT NULL,      -- json, not jsonb: the text stays byte for byte as it was hashed
    ip_address           inet,
    user_agent           text,
    request_id           text,
    previous_hash        bytea NOT NULL CHECK (octet_length(previous_hash) = 32), -- entry_hash of the entry before; zeros for the first
    entry_hash           bytea NOT NULL CHECK (octet_length(entry_hash) = 32)     -- SHA-256, see audit_entry_hash
);
-- The audit page newest first, its date range, exports.
CREATE INDEX audit_log_by_time ON audit_log (created_at, id);
-- Entries of one actor (filter `actor`; a portal user's own last entries).
CREATE INDEX audit_log_by_actor ON audit_log (lower(actor_name), created_at, id);
CREATE INDEX audit_log_by_portal_user ON audit_log (actor_portal_user_id, created_at, id) WHERE actor_portal_user_id IS NOT NULL;
-- Entries of one action (filter `action`).
CREATE INDEX audit_log_by_action ON audit_log (action, created_at, id);
-- Entries of one kind of object, or of one object (filters `object_type`, `object_id`).
CREATE INDEX audit_log_by_object_type ON audit_log (object_type, created_at, id);
CREATE INDEX audit_log_by_object ON audit_log (object_id, object_type, created_at, id) WHERE object_id IS NOT NULL;
-- Entries from an address or a network (filter `ip`).
CREATE INDEX audit_log_by_ip ON audit_log (ip_address, created_at, id) WHERE ip_address IS NOT NULL;
-- Substring of the details (filter `text`).
CREATE INDEX audit_log_details ON audit_log USING gin ((details_json::text) gin_trgm_ops);

-- Where the chain ends. Its row is locked from an append until the commit, so that entries are numbered as they are committed.
CREATE TABLE audit_head (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_id    bigint NOT NULL,
    entry_hash bytea NOT NULL CHECK (octet_length(entry_hash) = 32)
) WITH (fillfactor = 10);
INSERT INTO audit_head (last_id, entry_hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- A field of the hashed text: its length in bytes as four bytes, then UTF-8; null has the length ffffffff.
CREATE FUNCTION audit_field(field text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(int4send(octet_length(convert_to(field, 'UTF8'))) || convert_to(field, 'UTF8'), '\xffffffff'::bytea)
$$;

-- The hash of an entry; domain::audit_chain computes the same.
CREATE FUNCTION audit_entry_hash(entry audit_log) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sha256('ovt-audit-entry-1'::bytea || entry.previous_hash
        || audit_field(entry.id::text)
        || audit_field(to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(entry.actor_portal_user_id::text)
        || audit_field(entry.actor_name)
        || audit_field(entry.action)
        || audit_field(entry.object_type)
        || audit_field(entry.object_id)
        || audit_field(entry.details_json::text)
        || audit_field(abbrev(entry.ip_address))
        || audit_field(entry.user_agent)
        || audit_field(entry.request_id))
$$;

-- Puts an entry behind the last one: the one place that writes audit_log and audit_head.
CREATE FUNCTION chain_audit_entry(entry audit_log) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head audit_head%ROWTYPE;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    entry.id := head.last_id + 1;
    entry.created_at := clock_timestamp(); -- behind the lock: times follow the numbers
    entry.previous_hash := head.entry_hash;
    entry.entry_hash := audit_entry_hash(entry);
    INSERT INTO audit_log SELECT entry.*;
    UPDATE audit_head SET last_id = entry.id, entry_hash = entry.entry_hash;
    RETURN entry.id;
END $$;

-- The only way for a service to write an entry. It runs with the rights of the tables' owner.
CREATE FUNCTION append_audit_entry(actor_portal_user_id bigint, actor_name text, action text, object_type text, object_id text,
        details text, ip_address inet, user_agent text, request_id text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry audit_log%ROWTYPE;
BEGIN
    entry.actor_portal_user_id := actor_portal_user_id;
    entry.actor_name := actor_name;
    entry.action := action;
    entry.object_type := object_type;
    entry.object_id := object_id;
    entry.details_json := details::json;
    entry.ip_address := ip_address;
    entry.user_agent := user_agent;
    entry.request_id := request_id;
    RETURN chain_audit_entry(entry);
END $$;

-- Entries from before the chain come into it in their order and keep their times; they are numbered anew, without gaps. The head
-- is written once: a row changed a million times in one transaction is found ever more slowly.
DO $$
DECLARE
    unchained audit_log_unchained%ROWTYPE;
    entry audit_log%ROWTYPE;
BEGIN
    SELECT last_id, entry_hash INTO entry.id, entry.entry_hash FROM audit_head;
    FOR unchained IN SELECT * FROM audit_log_unchained ORDER BY id LOOP
        entry.id := entry.id + 1;
        entry.created_at := unchained.created_at;
        entry.actor_portal_user_id := unchained.actor_portal_user_id;
        entry.actor_name := unchained.actor_name;
        entry.action := unchained.action;
        entry.object_type := unchained.object_type;
        entry.object_id := unchained.object_id;
        entry.details_json := unchained.details_json::text::json;
        entry.ip_address := unchained.ip_address;
        entry.user_agent := unchained.user_agent;
        entry.request_id := unchained.request_id;
        entry.previous_hash := entry.entry_hash;
        entry.entry_hash := audit_entry_hash(entry);
        INSERT INTO audit_log SELECT entry.*;
    END LOOP;
    UPDATE audit_head SET last_id = entry.id, entry_hash = entry.entry_hash;
END $$;
DROP TABLE audit_log_unchained;

-- Public halves of the keys that sign the chain's head. Whoever does not trust this database keeps them elsewhere.
CREATE TABLE audit_signing_key (
    kid        text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Signed heads of the chain, by auth; each is also a line of AUDIT_CHECKPOINT_FILE, outside of the database.
CREATE TABLE audit_checkpoint (
    id         bigint PRIMARY KEY,           -- of the entry that was the last one
    entry_hash bytea NOT NULL CHECK (octet_length(entry_hash) = 32),
    signed_at  timestamptz NOT NULL,
    kid        text NOT NULL REFERENCES audit_signing_key (kid),
    signature  bytea NOT NULL CHECK (octet_length(signature) = 64)
);

REVOKE ALL ON FUNCTION audit_field(text), audit_entry_hash(audit_log), chain_audit_entry(audit_log),
    append_audit_entry(bigint, text, text, text, text, text, inet, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_audit_entry(bigint, text, text, text, text, text, inet, text, text)
    TO ovt_query_api, ovt_auth, ovt_realtime_gateway, ovt_reporter;
GRANT SELECT ON audit_log, audit_head, audit_checkpoint, audit_signing_key TO ovt_query_api, ovt_auth, ovt_reporter;
GRANT INSERT ON audit_checkpoint, audit_signing_key TO ovt_auth;
