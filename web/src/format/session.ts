import type { LiveSession } from '@/api/types'

/** Seconds that a session has lasted, by its times; the API's own figure may know it better (`duration_seconds`). */
export function durationOf(session: Pick<LiveSession, 'connected_at' | 'disconnected_at'>, now: number): number {
  const end = session.disconnected_at ? Date.parse(session.disconnected_at) : now
  return Math.max(0, Math.round((end - Date.parse(session.connected_at)) / 1000))
}

/** Why a session ended, and how that is known. */
export const endWords = {
  reported: 'reported by the VPN server',
  superseded: 'superseded by a newer session',
  server_restart: 'the VPN server restarted',
  reconciled: 'missing from a full list',
  timeout: 'no proof of life',
  terminated: 'terminated from the portal',
} as const
