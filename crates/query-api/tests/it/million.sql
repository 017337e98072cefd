-- A year of 1,000,000 sessions of 5,000 VPN users on 40 VPN servers, 3,000 of them open; the same at every run.
INSERT INTO vpn_server (name)
SELECT 'vpn-' || n FROM generate_series(1, 40) AS n;

INSERT INTO vpn_user (common_name, full_name, email, user_type)
SELECT 'user' || n || '@example.com', 'Person ' || n, 'user' || n || '@example.com',
       (CASE WHEN n % 100 = 0 THEN 'guest' WHEN n % 10 = 0 THEN 'contractor' WHEN n % 4 = 0 THEN 'external' ELSE 'internal' END)::user_type
FROM generate_series(1, 5000) AS n;

INSERT INTO vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, disconnected_at, end_not_after,
                         session_status, ended_by, real_ip, real_port, virtual_ip, virtual_ip6, bytes_in, bytes_out,
                         bytes_source)
SELECT md5('session ' || n)::uuid,
       1 + n % 40,
       1 + (n::bigint * 7919) % 5000,
       started,
       started + length,
       CASE WHEN n > 3000 THEN started + length END,
       CASE WHEN n > 3000 THEN started + length END,
       (CASE WHEN n <= 3000 THEN 'active' WHEN n % 200 = 0 THEN 'timeout' ELSE 'disconnected' END)::session_status,
       (CASE WHEN n <= 3000 THEN NULL WHEN n % 200 = 0 THEN 'timeout' ELSE 'reported' END)::session_end,
       '198.51.0.0'::inet + (n::bigint * 104729) % 60000,
       1024 + n % 60000,
       '10.8.0.0'::inet + (n::bigint * 31) % 8000,
       CASE WHEN n % 10 = 0 THEN 'fd00::'::inet + (n::bigint * 31) % 8000 END,
       n::bigint * 1000, n::bigint * 5000, 'final'
FROM generate_series(1, 1000000) AS n,
     LATERAL (SELECT timestamptz '2026-02-13 12:00:00+00' - n * interval '31 seconds' AS started,
                     (60 + n % 28800) * interval '1 second' AS length) AS times;

INSERT INTO usage_hour (session_id, hour, server_id, vpn_user_id, bytes_in, bytes_out)
SELECT id, date_trunc('hour', connected_at), server_id, vpn_user_id, bytes_in, bytes_out FROM vpn_session;
