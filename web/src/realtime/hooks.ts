import { createContext, useContext, useMemo, useSyncExternalStore } from 'react'
import type { LiveSession, Session } from '@/api/types'
import { durationOf } from '@/format/session'
import type { LiveSnapshot, LiveStore, RealtimeState } from './store'

export const LiveContext = createContext<LiveStore | null>(null)

function useLiveStore(): LiveStore {
  const store = useContext(LiveContext)
  if (!store) throw new Error('live data is for pages behind the login')
  return store
}

/** Figures, feeds and the active sessions; a new object after changes, at most four times a second. */
export function useLive(): LiveSnapshot {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, store.current)
}

export function useRealtimeState(): RealtimeState {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => store.current().state)
}

/** The same rows in their newest version: what a list has loaded, kept fresh by the socket. */
export function useLiveRows(rows: Session[]): Session[] {
  const live = useLive()
  return useMemo(
    () =>
      rows.map((row) => {
        const newer = live.sessions.find(row.id)
        if (!newer || newer.version <= row.version) return row
        return { ...row, ...newer, duration_seconds: durationOf(newer, Date.parse(newer.last_seen_at)) }
      }),
    [rows, live],
  )
}

/** The active sessions that `filter` lets through; undefined until the first snapshot has come. Give a stable function. */
export function useActiveSessions(filter: (session: LiveSession) => boolean): LiveSession[] | undefined {
  const live = useLive()
  return useMemo(() => (live.sessions.isKnown ? [...live.sessions.values()].filter(filter) : undefined), [filter, live])
}
