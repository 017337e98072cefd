-- Denials are lost, and agents forget theirs with the next list.
DROP TABLE vpn_denial;
REVOKE SELECT (id, common_name) ON vpn_user FROM ovt_ingest;
REVOKE UPDATE (state, delivered_at, accepted_at, gone_at, stayed_gone_at, reconnected_at, reconnected_session_id, failed_at, failure)
    ON session_command FROM ovt_ingest;
