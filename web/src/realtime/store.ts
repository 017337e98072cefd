import type { LiveSession } from '@/api/types'
import type { Phase } from './connection'
import type { GatewayStatus, ServerChange, ServerFrame, SessionEvent, Stats } from './frames'
import { LiveSessions } from './liveSessions'

export type RealtimeKind = 'live' | 'connecting' | 'loading' | 'stale' | 'reconnecting' | 'offline'

export interface RealtimeState {
  kind: RealtimeKind
  /** Until when what is shown is known to be complete, milliseconds. */
  completeUntil: number | undefined
  redis: GatewayStatus['redis']
}

/** What a page may see. A new object after each change; its members stay the same objects while they do. */
export interface LiveSnapshot {
  state: RealtimeState
  stats: Stats | undefined
  connects: LiveSession[]
  disconnects: LiveSession[]
  /** Always the same object: what is in it changes. */
  sessions: LiveSessions
}

/** Changes come up to hundreds of times a second; pages hear of them this often at most. */
const tellEveryMs = 250

/** Everything that the socket has told, for pages to read. */
export class LiveStore {
  private readonly sessions = new LiveSessions()
  private phase: Phase = 'connecting'
  private wasOpen = false
  private status: GatewayStatus | undefined
  private stats: Stats | undefined
  private heardAt: number | undefined
  private online = true
  private snapshot: LiveSnapshot
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly listeners = new Set<() => void>()
  private readonly serverListeners = new Set<(servers: ServerChange[]) => void>()

  constructor() {
    this.snapshot = this.take()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  current = (): LiveSnapshot => this.snapshot

  onServers(listener: (servers: ServerChange[]) => void): () => void {
    this.serverListeners.add(listener)
    return () => this.serverListeners.delete(listener)
  }

  setPhase(phase: Phase): void {
    this.phase = phase
    if (phase === 'open') this.wasOpen = true
    this.tellNow()
  }

  setOnline(online: boolean): void {
    this.online = online
    this.tellNow()
  }

  frame(frame: ServerFrame, now: number): void {
    this.heardAt = now
    switch (frame.event) {
      case 'sessions_update':
        this.sessions.takePage(frame)
        if (frame.page === frame.pages) this.tellLater()
        return
      case 'stats_update':
        this.stats = frame
        return this.tellLater()
      case 'server_update':
        for (const listener of this.serverListeners) listener(frame.servers)
        return
      case 'status':
        this.status = frame
        return this.tellNow()
      case 'session_connected':
      case 'session_updated':
      case 'session_disconnected':
      case 'session_withdrawn':
        return this.takeChanges(frame.event, frame.sessions, now)
      default:
    }
  }

  private takeChanges(event: SessionEvent, sessions: LiveSession[], now: number): void {
    for (const session of sessions) this.sessions.takeChange(event, session, now)
    this.tellLater()
  }

  private tellLater(): void {
    this.timer ??= setTimeout(() => this.tellNow(), tellEveryMs)
  }

  private tellNow(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.snapshot = this.take()
    for (const listener of this.listeners) listener()
  }

  private take(): LiveSnapshot {
    const before = this.snapshot?.state
    const state: RealtimeState = { kind: this.kind(), completeUntil: this.completeUntil(), redis: this.status?.redis ?? 'ok' }
    const isSame =
      before &&
      before.kind === state.kind &&
      before.redis === state.redis &&
      (state.kind === 'live' || before.completeUntil === state.completeUntil)
    return {
      state: isSame ? before : state,
      stats: this.stats,
      connects: this.sessions.connects,
      disconnects: this.sessions.disconnects,
      sessions: this.sessions,
    }
  }

  private kind(): RealtimeKind {
    if (this.phase === 'open') return this.status?.sessions ?? 'loading'
    if (!this.online) return 'offline'
    return this.wasOpen ? 'reconnecting' : 'connecting'
  }

  private completeUntil(): number | undefined {
    const told = this.status?.as_of
    if (this.phase === 'open' && this.status?.sessions === 'stale' && told) return Date.parse(told)
    return this.heardAt
  }
}
