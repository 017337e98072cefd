import { createContext, useContext, useMemo, useSyncExternalStore } from 'react'
import type { LiveSession, Session } from '@/api/types'
import { durationOf } from '@/format/session'
import type { Stats } from './frames'
import type { LiveSessions } from './liveSessions'
import type { LiveSnapshot, LiveStore, RealtimeState } from './store'

export const LiveContext = createContext<LiveStore | null>(null)

function useLiveStore(): LiveStore {
  const store = useContext(LiveContext)
  if (!store) throw new Error('live data is for pages behind the login')
  return store
}

/** The active sessions and all else; a new object after changes, at most four times a second. */
function useLive(): LiveSnapshot {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, store.current)
}

/** The figures alone: they change once a second at most. */
export function useLiveStats(): Stats | undefined {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => store.current().stats)
}

/** Who came last and who left last, as they were seen live. */
export function useLiveFeed(of: 'connects' | 'disconnects'): LiveSession[] {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => store.current()[of])
}

export function useRealtimeState(): RealtimeState {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => store.current().state)
}

/** The same rows in their newest version: what a list has loaded, kept fresh by the socket. */
export function useLiveRows(rows: Session[]): Session[] {
  const store = useLiveStore()
  const newest = useMemo(() => newestOf(rows), [rows])
  return useSyncExternalStore(store.subscribe, () => newest(store.current().sessions))
}

/** The array and its rows stay the same objects while they do not change, so that a grid draws only what has. */
function newestOf(rows: Session[]): (live: LiveSessions) => Session[] {
  let shown = rows
  return (live) => {
    const next = shown.map((row) => {
      const newer = live.find(row.id)
      if (!newer || newer.version <= row.version) return row
      return newestRow(row, newer)
    })
    if (next.some((row, index) => row !== shown[index])) shown = next
    return shown
  }
}

const newestRows = new WeakMap<LiveSession, Session>()

/** The same object for the same state, also when the list around it is another one: a grid draws it once. */
function newestRow(row: Session, newer: LiveSession): Session {
  const known = newestRows.get(newer)
  if (known && known.user_type === row.user_type) return known
  const merged = { ...row, ...rowOf(newer) }
  newestRows.set(newer, merged)
  return merged
}

function rowOf(live: LiveSession): Session {
  return { ...live, duration_seconds: durationOf(live, Date.parse(live.last_seen_at)) }
}

/**
 * The sessions that were seen to connect since then (milliseconds) and matched when they did, as rows of a list. The array and its rows
 * stay the same objects while nobody comes. Give a stable function.
 */
export function useArrivals(matches: (session: LiveSession) => boolean, since: number): Session[] {
  const store = useLiveStore()
  const arrivals = useMemo(() => arrivalsOf(matches, since), [matches, since])
  return useSyncExternalStore(store.subscribe, () => arrivals(store.current().sessions))
}

function arrivalsOf(matches: (session: LiveSession) => boolean, since: number): (live: LiveSessions) => Session[] {
  let seen = new Map<string, Session | undefined>()
  let shown: Session[] = []
  return (live) => {
    const ids = live.arrivalsSince(since)
    if (ids.length === seen.size && ids.every((id) => seen.has(id))) return shown
    const judge = (id: string): Session | undefined => {
      const session = live.find(id)
      return session && matches(session) ? rowOf(session) : undefined
    }
    seen = new Map(ids.map((id) => [id, seen.has(id) ? seen.get(id) : judge(id)]))
    const next = [...seen.values()].filter((session) => session !== undefined)
    if (next.length !== shown.length || next.some((session, index) => session !== shown[index])) shown = next
    return shown
  }
}

/** The active sessions that `filter` lets through; undefined until the first snapshot has come. Give a stable function. */
export function useActiveSessions(filter: (session: LiveSession) => boolean): LiveSession[] | undefined {
  const live = useLive()
  return useMemo(() => (live.sessions.isKnown ? [...live.sessions.values()].filter(filter) : undefined), [filter, live])
}
