import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { aSession } from '@/testing/session'
import { Connection, waitBefore } from './connection'
import type { ServerFrame } from './frames'
import { LiveSessions } from './liveSessions'
import { LiveStore } from './store'

const first = aSession({ id: 'a' })
const second = aSession({ id: 'b' })

function page(sessions: (typeof first)[], page = 1, pages = 1): Extract<ServerFrame, { event: 'sessions_update' }> {
  return {
    event: 'sessions_update',
    position: page === pages ? '1-1-1' : '1-1-1~',
    page,
    pages,
    total: sessions.length,
    rooms: [],
    sessions,
  }
}

describe('the live sessions', () => {
  it('are replaced by a snapshot once its last page is there', () => {
    const live = new LiveSessions()
    live.takePage(page([first]))
    live.takePage(page([second], 1, 2))
    expect([...live.values()]).toEqual([first])
    live.takePage(page([], 2, 2))
    expect([...live.values()]).toEqual([second])
  })

  it('take no change that is older than what they hold', () => {
    const live = new LiveSessions()
    live.takeChange('session_connected', { ...first, version: 3 })
    live.takeChange('session_updated', { ...first, version: 2, bytes_in: 5 })
    expect(live.find('a')?.bytes_in).toBeUndefined()
  })

  it('end, and stay known', () => {
    const live = new LiveSessions()
    live.takePage(page([first]))
    const ended = { ...first, version: 2, session_status: 'disconnected' as const }
    live.takeChange('session_disconnected', ended)
    expect(live.size).toBe(0)
    expect(live.find('a')).toEqual(ended)
    expect(live.disconnects).toEqual([ended])
    live.takeChange('session_updated', { ...first, version: 1 })
    expect(live.size).toBe(0)
  })

  it('come back when proof of life arrives after all', () => {
    const live = new LiveSessions()
    live.takeChange('session_disconnected', { ...first, version: 2, session_status: 'timeout' })
    live.takeChange('session_updated', { ...first, version: 3 })
    expect([...live.values()].map(({ version }) => version)).toEqual([3])
  })

  it('are withdrawn from the feed too', () => {
    const live = new LiveSessions()
    live.takeChange('session_connected', first)
    live.takeChange('session_withdrawn', { ...first, version: 2 })
    expect([live.size, live.connects.length]).toEqual([0, 0])
  })
})

describe('what pages hear', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is told four times a second at most, however many changes come', () => {
    const store = new LiveStore()
    const heard = vi.fn()
    store.subscribe(heard)
    for (let at = 0; at < 200; at += 1) {
      store.frame(
        { event: 'session_connected', position: `1-${at}-1`, server_instance: 'vpn-1', sessions: [aSession({ id: String(at) })] },
        at,
      )
      vi.advanceTimersByTime(5)
    }
    expect(heard.mock.calls.length).toBeLessThanOrEqual(4)
    expect(store.current().sessions.size).toBe(200)
  })

  it('is stale when the gateway says so, with the age of the last complete state', () => {
    const store = new LiveStore()
    store.setPhase('open')
    store.frame({ event: 'status', position: '1-1-1', redis: 'ok', nats: 'ok', sessions: 'live', as_of: null }, 1000)
    expect(store.current().state.kind).toBe('live')
    store.frame(
      { event: 'status', position: '1-1-1', redis: 'ok', nats: 'away', sessions: 'stale', as_of: '2026-02-13T12:00:00.000Z' },
      9000,
    )
    expect(store.current().state).toMatchObject({ kind: 'stale', completeUntil: Date.parse('2026-02-13T12:00:00.000Z') })
    store.setPhase('waiting')
    expect(store.current().state).toMatchObject({ kind: 'reconnecting', completeUntil: 9000 })
  })
})

class FakeSocket extends EventTarget {
  readyState = 1
  sent: unknown[] = []
  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {}
  hear(frame: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }))
  }
  end(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

describe('the connection', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function connected() {
    const sockets: FakeSocket[] = []
    const anotherToken = vi.fn(async () => 'second')
    const tokens = ['first', 'second']
    const connection = new Connection({
      url: 'ws://portal/ws',
      token: async () => tokens.shift() ?? 'later',
      anotherToken,
      onFrame: () => undefined,
      onPhase: () => undefined,
      random: () => 0.5,
      open: () => {
        const socket = new FakeSocket()
        sockets.push(socket)
        return socket as unknown as WebSocket
      },
    })
    connection.start()
    return { connection, sockets, anotherToken }
  }

  async function opened(sockets: FakeSocket[], index: number): Promise<FakeSocket> {
    await vi.advanceTimersByTimeAsync(2000)
    const socket = sockets[index]
    if (!socket) throw new Error(`socket ${index} was not opened`)
    socket.dispatchEvent(new Event('open'))
    return socket
  }

  it('sends the token in the first message and comes back with its position', async () => {
    const { sockets } = connected()
    const socket = await opened(sockets, 0)
    expect(socket.sent).toEqual([{ event: 'authenticate', token: 'first', compression: 'gzip' }])
    socket.hear({ event: 'authenticated' })
    socket.hear(page([], 1, 2))
    socket.hear({ ...page([], 2, 2), position: '7-1-1' })
    socket.end(1012)
    expect((await opened(sockets, 1)).sent).toEqual([
      { event: 'authenticate', token: 'second', last_position: '7-1-1', compression: 'gzip' },
    ])
  })

  it('does not come back with half a snapshot', async () => {
    const { sockets } = connected()
    const socket = await opened(sockets, 0)
    socket.hear(page([], 1, 2))
    socket.end(1006)
    expect((await opened(sockets, 1)).sent).toEqual([{ event: 'authenticate', token: 'second', compression: 'gzip' }])
  })

  it('asks for another token when its own was refused', async () => {
    const { sockets, anotherToken } = connected()
    const socket = await opened(sockets, 0)
    socket.end(4401)
    await opened(sockets, 1)
    expect(anotherToken).toHaveBeenCalledWith('first')
  })

  it('renews on the open socket', async () => {
    const { connection, sockets } = connected()
    const socket = await opened(sockets, 0)
    connection.renew('fresh')
    expect(socket.sent.at(-1)).toEqual({ event: 'authenticate', token: 'fresh' })
    expect(sockets.length).toBe(1)
  })

  it('waits longer each time, up to a limit, and never all at once', () => {
    expect([0, 1, 2, 10].map((attempt) => waitBefore(attempt, 1))).toEqual([600, 1100, 2100, 15_100])
    expect(waitBefore(10, 0)).toBe(100)
  })
})
