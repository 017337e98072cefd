-- Each service logs in with a role of its own that may write its own tables and nothing else. Roles belong to the whole
-- PostgreSQL cluster: several databases share them, and a second migration there finds them made. They get their passwords
-- from the configuration of `migrations up`; without one a role cannot log in over a network.

DO $$
DECLARE
    service_role text;
BEGIN
    FOREACH service_role IN ARRAY ARRAY['ovt_ingest', 'ovt_session_processor', 'ovt_query_api', 'ovt_auth',
                                        'ovt_realtime_gateway', 'ovt_reporter'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', service_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's migration was first
            END;
        END IF;
    END LOOP;
END $$;

-- Nobody but the owner makes tables. (PostgreSQL 15 and newer start like this; on 14 it is the database's owner who says so.)
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Registry and agent keys: all know the servers; only ingest and auth see the keys' hashes.
GRANT SELECT ON vpn_server TO ovt_ingest, ovt_session_processor, ovt_query_api, ovt_auth, ovt_realtime_gateway, ovt_reporter;
GRANT INSERT, UPDATE, DELETE ON vpn_server TO ovt_query_api;
GRANT INSERT ON vpn_server TO ovt_auth;          -- `auth create-server`, the operator's command line
GRANT SELECT ON server_api_key TO ovt_ingest;
GRANT SELECT, INSERT, UPDATE ON server_api_key TO ovt_auth;
GRANT SELECT (key_id, server_id, label, created_at, revoked_at) ON server_api_key TO ovt_query_api;

-- The history: written by session-processor, read by those who show it.
GRANT SELECT, INSERT, UPDATE, DELETE ON vpn_server_state, vpn_session, vpn_event, unmatched_event, server_boot, event_gap,
    dead_letter, vpn_user_ccd, vpn_user_route TO ovt_session_processor;
GRANT SELECT, INSERT ON vpn_user TO ovt_session_processor;
GRANT UPDATE (cert_expiry_at, revoked_at, last_vpn_seen_at, updated_at) ON vpn_user TO ovt_session_processor;
GRANT SELECT ON vpn_server_state, vpn_session, vpn_event, unmatched_event, server_boot, event_gap, dead_letter, vpn_user,
    vpn_user_ccd, vpn_user_route TO ovt_query_api, ovt_reporter;
GRANT SELECT ON vpn_server_state, vpn_session, event_gap, vpn_user TO ovt_realtime_gateway;
REVOKE ALL ON FUNCTION ensure_event_partition(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_event_partition(timestamptz) TO ovt_session_processor;

-- What people say of VPN users is query-api's; what the VPN servers say is session-processor's.
GRANT UPDATE (full_name, email, contact_no, user_type, business_status, updated_at) ON vpn_user TO ovt_query_api;

-- Portal users are auth's alone; others see what verifying a token and showing a name need.
GRANT SELECT, INSERT, UPDATE ON portal_user, token_signing_key TO ovt_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON portal_user_role TO ovt_auth;
GRANT SELECT ON portal_role TO ovt_auth, ovt_query_api, ovt_reporter;
GRANT SELECT ON token_signing_key, portal_user_role TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;
GRANT SELECT (id, username, email, is_active, token_version, last_portal_login_at, created_at, updated_at) ON portal_user
    TO ovt_query_api, ovt_realtime_gateway, ovt_reporter;

-- Those who act on a person's behalf tell the audit log; nobody changes or removes what was told. 0004 narrows this further.
GRANT INSERT ON audit_log TO ovt_auth, ovt_query_api, ovt_reporter;
GRANT SELECT ON audit_log TO ovt_auth, ovt_query_api, ovt_reporter;
