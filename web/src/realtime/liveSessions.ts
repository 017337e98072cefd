import type { LiveSession } from '@/api/types'
import type { ServerFrame, SessionEvent } from './frames'

const feedLength = 10
/** Enough for the rows of a list until it is loaded again. */
const rememberedEnds = 500
const rememberedArrivals = 500

/** The active sessions, kept from a snapshot and the changes behind it. Pure bookkeeping: it knows of no socket. */
export class LiveSessions {
  private active = new Map<string, LiveSession>()
  /** Sessions that ended while this page was open, the oldest first. */
  private readonly ended = new Map<string, LiveSession>()
  private arriving: Map<string, LiveSession> | undefined
  /** Sessions that were seen to connect, and when (milliseconds), the oldest first. */
  private readonly arrivedAt = new Map<string, number>()
  /** Newest first, as they were seen live. */
  connects: LiveSession[] = []
  disconnects: LiveSession[] = []

  /** A whole snapshot has come: before it, nothing here is known. */
  isKnown = false

  get size(): number {
    return this.active.size
  }

  values(): Iterable<LiveSession> {
    return this.active.values()
  }

  /** The newest that is known of a session, active or ended. */
  find(id: string): LiveSession | undefined {
    return this.active.get(id) ?? this.ended.get(id)
  }

  /** The ids of the sessions that were seen to connect since then (milliseconds). */
  arrivalsSince(since: number): string[] {
    return [...this.arrivedAt].flatMap(([id, at]) => (at >= since ? id : []))
  }

  /** One page of a snapshot. The old sessions stay until the last page is there. */
  takePage(frame: Extract<ServerFrame, { event: 'sessions_update' }>): void {
    if (frame.page === 1 || !this.arriving) this.arriving = new Map()
    for (const session of frame.sessions) this.arriving.set(session.id, session)
    if (frame.page < frame.pages) return
    this.active = this.arriving
    this.arriving = undefined
    this.isKnown = true
  }

  takeChange(event: SessionEvent, session: LiveSession, now = 0): void {
    const known = this.find(session.id)
    if (known && known.version >= session.version) return
    if (session.session_status === 'active' && event !== 'session_withdrawn') {
      this.ended.delete(session.id)
      this.active.set(session.id, session)
    } else {
      this.active.delete(session.id)
      this.rememberEnd(session)
    }
    if (event === 'session_connected') remember(this.arrivedAt, session.id, now, rememberedArrivals)
    if (event === 'session_withdrawn') this.arrivedAt.delete(session.id)
    this.tellFeed(event, session)
  }

  private rememberEnd(session: LiveSession): void {
    remember(this.ended, session.id, session, rememberedEnds)
  }

  private tellFeed(event: SessionEvent, session: LiveSession): void {
    if (event === 'session_connected') this.connects = onTop(this.connects, session)
    if (event === 'session_disconnected') this.disconnects = onTop(this.disconnects, session)
    if (event === 'session_withdrawn') this.connects = this.connects.filter((one) => one.id !== session.id)
  }
}

/** As the newest; of too many the oldest is forgotten. */
function remember<T>(map: Map<string, T>, id: string, value: T, most: number): void {
  map.delete(id)
  map.set(id, value)
  const oldest = map.keys().next().value
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

function onTop(feed: LiveSession[], session: LiveSession): LiveSession[] {
  return [session, ...feed.filter((one) => one.id !== session.id)].slice(0, feedLength)
}
