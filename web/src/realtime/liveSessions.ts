import type { LiveSession } from '@/api/types'
import type { ServerFrame, SessionEvent } from './frames'

const feedLength = 10
/** Enough for the rows of a list until it is loaded again. */
const rememberedEnds = 500

/** The active sessions, kept from a snapshot and the changes behind it. Pure bookkeeping: it knows of no socket. */
export class LiveSessions {
  private active = new Map<string, LiveSession>()
  /** Sessions that ended while this page was open, the oldest first. */
  private readonly ended = new Map<string, LiveSession>()
  private arriving: Map<string, LiveSession> | undefined
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

  /** One page of a snapshot. The old sessions stay until the last page is there. */
  takePage(frame: Extract<ServerFrame, { event: 'sessions_update' }>): void {
    if (frame.page === 1 || !this.arriving) this.arriving = new Map()
    for (const session of frame.sessions) this.arriving.set(session.id, session)
    if (frame.page < frame.pages) return
    this.active = this.arriving
    this.arriving = undefined
    this.isKnown = true
  }

  takeChange(event: SessionEvent, session: LiveSession): void {
    const known = this.find(session.id)
    if (known && known.version >= session.version) return
    if (session.session_status === 'active' && event !== 'session_withdrawn') {
      this.ended.delete(session.id)
      this.active.set(session.id, session)
    } else {
      this.active.delete(session.id)
      this.rememberEnd(session)
    }
    this.tellFeed(event, session)
  }

  private rememberEnd(session: LiveSession): void {
    this.ended.delete(session.id)
    this.ended.set(session.id, session)
    const oldest = this.ended.keys().next().value
    if (this.ended.size > rememberedEnds && oldest !== undefined) this.ended.delete(oldest)
  }

  private tellFeed(event: SessionEvent, session: LiveSession): void {
    if (event === 'session_connected') this.connects = onTop(this.connects, session)
    if (event === 'session_disconnected') this.disconnects = onTop(this.disconnects, session)
    if (event === 'session_withdrawn') this.connects = this.connects.filter((one) => one.id !== session.id)
  }
}

function onTop(feed: LiveSession[], session: LiveSession): LiveSession[] {
  return [session, ...feed.filter((one) => one.id !== session.id)].slice(0, feedLength)
}
