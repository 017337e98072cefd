import type { Session } from '@/api/types'

/** A session that is active; `change` says what is different. */
export function aSession(change: Partial<Session> = {}): Session {
  return {
    id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    common_name: 'jdoe@example.com',
    vpn_user_id: 7,
    server_instance: 'vpn-1',
    server_key: 1,
    connected_at: '2026-02-13T12:00:00.000Z',
    last_seen_at: '2026-02-13T12:05:00.000Z',
    duration_seconds: 300,
    session_status: 'active',
    opened_by_snapshot: false,
    version: 1,
    ...change,
  }
}
