import type { Server, LiveSession } from '@/api/types'

/** What the gateway says; docs/realtime.md describes it. */
export type ServerFrame =
  | { event: 'authenticated'; username: string; expires_at: string }
  | { event: 'sessions_update'; position: string; page: number; pages: number; total: number; rooms: string[]; sessions: LiveSession[] }
  | { event: SessionEvent; position: string; server_instance: string; sessions: LiveSession[] }
  | ({ event: 'stats_update'; position: string } & Stats)
  | { event: 'server_update'; position: string; servers: ServerChange[] }
  | ({ event: 'status'; position: string } & GatewayStatus)
  | { event: 'resumed'; position: string }
  | { event: 'resync'; position: string; reason: string }
  | { event: 'rooms'; rooms: string[] }
  | { event: 'error'; error: string; detail: string }

export type SessionEvent = 'session_connected' | 'session_updated' | 'session_disconnected' | 'session_withdrawn'

export interface Stats {
  active_sessions: number
  /** VPN servers without any are left out. */
  active_sessions_by_server: Record<string, number>
  connects_per_minute: number
  disconnects_per_minute: number
}

/** A VPN server as the list shows it, but for what never changes. */
export type ServerChange = Pick<Server, 'id' | 'name' | 'status' | 'troubles' | 'clock_is_skewed' | 'health' | 'gaps'> &
  Partial<Pick<Server, 'last_heard_at' | 'clock_skew_ms' | 'boot_id'>>

export interface GatewayStatus {
  redis: 'ok' | 'filling' | 'away'
  nats: 'ok' | 'away'
  sessions: 'live' | 'stale' | 'loading'
  /** Until when the sessions are known to be complete. */
  as_of: string | null
}

export type ClientFrame =
  { event: 'authenticate'; token: string; last_position?: string; compression?: 'gzip' } | { event: 'get_active_sessions' }

/** Null for what this version of the portal does not know. */
export function readFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text)
    return typeof frame === 'object' && frame !== null && 'event' in frame ? (frame as ServerFrame) : null
  } catch {
    return null
  }
}

/** A position that one can come back with: those of a snapshot's first pages end in `~`. */
export function isWholePosition(position: string | undefined): position is string {
  return position !== undefined && !position.endsWith('~')
}
