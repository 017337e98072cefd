-- Counts sessions ($1) anew, each from the hour of a time on ($2; null: its whole life).
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.server_id, s.vpn_user_id, s.connected_at, greatest(s.last_seen_at, s.disconnected_at) AS until,
        s.bytes_in, s.bytes_out, s.bytes_in_base, s.bytes_out_base, w.from_hour, w.from_hour <= s.connected_at AS is_whole
    FROM (SELECT id, coalesce(date_trunc('hour', since), '-infinity') AS from_hour
        FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, since)) w JOIN vpn_session s ON s.id = w.id
), begun AS MATERIALIZED (
    -- Where the hours begin inside of a life, the last reading before them is the first that counts.
    SELECT w.*, CASE WHEN NOT is_whole THEN (
            SELECT e.event_time FROM vpn_event e
            WHERE e.server_id = w.server_id AND e.vpn_user_id = w.vpn_user_id AND e.session_id = w.id
                AND e.event_time < w.from_hour AND e.event_time >= w.connected_at - interval '1 hour'
                AND e.body -> 0 ?| ARRAY['bytes_in', 'bytes_out'] AND e.event_type <> 'SESSION_CONNECTED'
                AND e.body -> 0 ->> 'bytes_source' IS DISTINCT FROM 'missing'
            ORDER BY e.event_time DESC LIMIT 1) END AS base_at
    FROM wanted w
), reading AS (
    -- Nothing was counted at the connect.
    SELECT b.id, -1 AS rank, b.connected_at AS event_time, b.connected_at AS at, NULL::bigint AS seq, NULL::event_type AS event_type,
        NULL::uuid AS event_id, 0::bigint AS bytes_in, 0::bigint AS bytes_out, false AS is_missing
    FROM begun b WHERE b.base_at IS NULL
    UNION ALL
    SELECT b.id, 0, e.event_time, greatest(e.event_time, b.connected_at), coalesce(e.seq, 0), e.event_type, e.event_id,
        (e.body -> 0 ->> 'bytes_in')::bigint, (e.body -> 0 ->> 'bytes_out')::bigint,
        coalesce(e.body -> 0 ->> 'bytes_source' = 'missing', false)
    FROM begun b CROSS JOIN LATERAL (
        SELECT e.* FROM vpn_event e
        WHERE e.server_id = b.server_id AND e.vpn_user_id = b.vpn_user_id AND e.session_id = b.id
            AND e.event_time >= coalesce(b.base_at, b.connected_at - interval '1 hour')
            AND e.event_time <= b.until + interval '1 hour' AND e.event_type <> 'SESSION_CONNECTED'
            AND (e.body -> 0 ?| ARRAY['bytes_in', 'bytes_out'] OR e.event_type = 'SESSION_DISCONNECTED')
    ) e
), believed AS (
    -- Nothing counts behind the reported end.
    SELECT r.*, count(*) FILTER (WHERE r.event_type = 'SESSION_DISCONNECTED') OVER (PARTITION BY r.id
        ORDER BY r.rank, r.event_time, r.seq, r.event_type, r.event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 0 AS counts
    FROM reading r
), stepped AS (
    SELECT r.id, d.inward, r.rank, r.at, d.value, lag(r.at) OVER earlier AS previous_at, lag(d.value) OVER earlier AS previous,
        row_number() OVER (PARTITION BY r.id, d.inward ORDER BY r.rank DESC, r.event_time DESC, r.seq DESC, r.event_type DESC,
            r.event_id DESC) = 1 AS is_last
    FROM believed r CROSS JOIN LATERAL (VALUES (true, r.bytes_in), (false, r.bytes_out)) AS d (inward, value)
    WHERE d.value IS NOT NULL AND r.counts AND NOT r.is_missing
    WINDOW earlier AS (PARTITION BY r.id, d.inward ORDER BY r.rank, r.event_time, r.seq, r.event_type, r.event_id)
), step AS (
    -- A lower reading begins a new segment.
    SELECT id, inward, previous_at AS began, at AS ended, is_last, value,
        CASE WHEN previous IS NULL THEN 0 WHEN value >= previous THEN value - previous ELSE value END AS bytes
    FROM stepped
), counted AS (
    SELECT id, inward, coalesce(sum(bytes), 0) AS bytes, max(ended) FILTER (WHERE is_last) AS ended,
        max(value) FILTER (WHERE is_last) AS value
    FROM step GROUP BY id, inward
), flow AS (
    SELECT id, inward, began, ended, bytes FROM step WHERE bytes > 0
    UNION ALL
    -- What the session says in the end: readings of snapshots and connects are known by that alone.
    SELECT b.id, c.inward, c.ended, greatest(b.until, c.ended), l.bytes
    FROM begun b JOIN counted c ON c.id = b.id CROSS JOIN LATERAL (
        SELECT CASE WHEN b.base_at IS NULL THEN (CASE WHEN c.inward THEN b.bytes_in ELSE b.bytes_out END) - c.bytes
            ELSE (CASE WHEN c.inward THEN b.bytes_in - b.bytes_in_base ELSE b.bytes_out - b.bytes_out_base END) - c.value END AS bytes
    ) l WHERE l.bytes > 0
), hourly AS (
    SELECT f.id, f.inward, h.hour, CASE WHEN date_trunc('hour', f.began) = date_trunc('hour', f.ended) THEN f.bytes
        ELSE floor(f.bytes * extract(epoch FROM least(h.hour + interval '1 hour', f.ended) - f.began) / extract(epoch FROM f.ended - f.began))
            - floor(f.bytes * extract(epoch FROM greatest(h.hour, f.began) - f.began) / extract(epoch FROM f.ended - f.began)) END AS bytes
    FROM flow f JOIN begun b ON b.id = f.id
    CROSS JOIN LATERAL generate_series(date_trunc('hour', greatest(f.began, b.from_hour)), date_trunc('hour', f.ended),
        interval '1 hour') AS h (hour)
), computed AS MATERIALIZED (
    SELECT h.id, h.hour, b.server_id, b.vpn_user_id,
        least(coalesce(sum(h.bytes) FILTER (WHERE h.inward), 0), 9223372036854775807)::bigint AS bytes_in,
        least(coalesce(sum(h.bytes) FILTER (WHERE NOT h.inward), 0), 9223372036854775807)::bigint AS bytes_out
    FROM hourly h JOIN begun b ON b.id = h.id WHERE h.bytes > 0
    GROUP BY h.id, h.hour, b.server_id, b.vpn_user_id
), removed AS (
    DELETE FROM usage_hour u USING wanted w
    WHERE u.session_id = w.id AND u.hour >= w.from_hour
        AND NOT EXISTS (SELECT FROM computed c WHERE c.id = u.session_id AND c.hour = u.hour)
    RETURNING 1
), written AS (
    INSERT INTO usage_hour AS u (session_id, hour, server_id, vpn_user_id, bytes_in, bytes_out)
    SELECT id, hour, server_id, vpn_user_id, bytes_in, bytes_out FROM computed ORDER BY id, hour
    ON CONFLICT (session_id, hour) DO UPDATE SET server_id = excluded.server_id, vpn_user_id = excluded.vpn_user_id,
        bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out
    WHERE (u.server_id, u.vpn_user_id, u.bytes_in, u.bytes_out)
        IS DISTINCT FROM (excluded.server_id, excluded.vpn_user_id, excluded.bytes_in, excluded.bytes_out)
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM written)
