-- The roles stay: other databases of the cluster may use them.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ovt_ingest, ovt_session_processor, ovt_query_api, ovt_auth, ovt_realtime_gateway, ovt_reporter;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM ovt_ingest, ovt_session_processor, ovt_query_api, ovt_auth, ovt_realtime_gateway, ovt_reporter;
GRANT EXECUTE ON FUNCTION ensure_event_partition(timestamptz) TO PUBLIC;
