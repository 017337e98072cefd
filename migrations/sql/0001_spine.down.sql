DROP TABLE audit_log, token_signing_key, portal_user_role, portal_role, portal_user, dead_letter, event_gap, server_boot,
    unmatched_event, vpn_event, vpn_session, vpn_user_route, vpn_user_ccd, vpn_user, vpn_server_state, server_api_key, vpn_server;
DROP FUNCTION ensure_event_partition(timestamptz);
DROP TYPE event_type, bytes_source, session_end, session_status, business_status, user_type;
