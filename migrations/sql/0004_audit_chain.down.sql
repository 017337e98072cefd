-- Takes the entries out of the chain; what it proved is gone.
CREATE TEMPORARY TABLE audit_log_chained AS
    SELECT id, created_at, actor_portal_user_id, actor_name, action, object_type, object_id, details_json, ip_address, user_agent,
        request_id FROM audit_log;
DROP TABLE audit_checkpoint, audit_signing_key;
DROP FUNCTION append_audit_entry(bigint, text, text, text, text, text, inet, text, text);
DROP FUNCTION chain_audit_entry(audit_log);
DROP FUNCTION audit_entry_hash(audit_log);
DROP FUNCTION audit_field(text);
DROP TABLE audit_log, audit_head;

CREATE TABLE audit_log (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at           timestamptz NOT NULL DEFAULT now(),
    actor_portal_user_id bigint REFERENCES portal_user (id),
    actor_name           text NOT NULL,
    action               text NOT NULL,
    object_type          text NOT NULL,
    object_id            text,
    details_json         jsonb NOT NULL DEFAULT '{}',
    ip_address           inet,
    user_agent           text,
    request_id           text
);
CREATE INDEX audit_log_by_time ON audit_log (created_at, id);
INSERT INTO audit_log OVERRIDING SYSTEM VALUE SELECT id, created_at, actor_portal_user_id, actor_name, action, object_type,
    object_id, details_json::text::jsonb, ip_address, user_agent, request_id FROM audit_log_chained;
SELECT setval(pg_get_serial_sequence('audit_log', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM audit_log), false);
-- Entries of later actions stay, new ones must be of those that the step before knows.
ALTER TABLE audit_log ADD CONSTRAINT audit_log_action_check CHECK (action IN ('create', 'update', 'delete', 'revoke', 'approve',
    'login', 'login_failed', 'logout', 'export', 'terminate', 'reset_password')) NOT VALID;
DROP TABLE audit_log_chained;
