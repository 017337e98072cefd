-- Terminate requests and metadata versions are lost; usage is computed again when the step comes back.
DROP TABLE usage_progress, usage_hour, server_health_sample, session_command;
DROP INDEX vpn_user_by_cert_expiry;
ALTER TABLE vpn_user DROP COLUMN metadata_version;
