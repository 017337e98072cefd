import { act, screen } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '@/api/types'
import type { ServerFrame } from '@/realtime/frames'
import { LiveStore } from '@/realtime/store'
import { renderPage } from '@/testing/render'
import { aSession } from '@/testing/session'
import { matcher } from './matches'
import { useLivePage } from './useLivePage'

const loaded = [aSession({ id: 'b', common_name: 'bob', connected_at: '2026-02-13T12:00:02.000Z' })]
const view = { sort: '-connected_at', page: 1, per_page: 2 }

function comes(change: Partial<Session>): ServerFrame {
  return {
    event: 'session_connected',
    position: '1-1-1',
    server_instance: 'vpn-1',
    sessions: [aSession({ connected_at: '2026-02-13T12:00:03.000Z', ...change })],
  }
}

describe('a page of sessions', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function shown(page: Partial<typeof view> = {}, filter = {}) {
    const store = new LiveStore()
    const order = { ...view, ...page }
    function List() {
      const [held, setHeld] = useState(false)
      const live = useLivePage({ sessions: loaded, loadedAt: 0, filter, view: order, isOther: false }, held)
      return (
        <>
          <p>{live.rows.map((row) => `${row.common_name} ${row.session_status}`).join(', ')}</p>
          <input type="checkbox" checked={held} onChange={(event) => setHeld(event.target.checked)} />
          {live.waiting > 0 && <button onClick={live.show}>{live.waiting} wait</button>}
        </>
      )
    }
    renderPage(<List />, { store })
    // What is heard is told to the page, then the page moves.
    const pass = () => act(() => void vi.advanceTimersByTime(1000))
    const tell = (frame: ServerFrame) => {
      act(() => {
        store.frame(frame, 1)
        vi.advanceTimersByTime(1000)
      })
      pass()
    }
    const toggleHold = () => {
      act(() => screen.getByRole('checkbox').click())
      pass()
    }
    return { tell, toggleHold }
  }

  it('has who comes on top, and no more rows than asked for', () => {
    const { tell } = shown()
    tell(comes({ id: 'c', common_name: 'carol' }))
    expect(screen.getByText('carol active, bob active')).toBeInTheDocument()
    tell(comes({ id: 'd', common_name: 'dave', connected_at: '2026-02-13T12:00:04.000Z' }))
    expect(screen.getByText('dave active, carol active')).toBeInTheDocument()
  })

  it('keeps still while somebody points at it, though states change, and moves when asked to', () => {
    const { tell, toggleHold } = shown()
    toggleHold()
    tell(comes({ id: 'c', common_name: 'carol' }))
    tell({
      ...comes({}),
      event: 'session_disconnected',
      sessions: [{ ...loaded[0]!, version: 2, session_status: 'disconnected' }],
    } as ServerFrame)
    expect(screen.getByText('bob disconnected')).toBeInTheDocument()
    act(() => screen.getByText('1 wait').click())
    expect(screen.getByText('carol active, bob disconnected')).toBeInTheDocument()
    tell(comes({ id: 'd', common_name: 'dave', connected_at: '2026-02-13T12:00:04.000Z' }))
    toggleHold()
    expect(screen.getByText('dave active, carol active')).toBeInTheDocument()
  })

  it('takes nobody in who does not match', () => {
    const { tell } = shown({}, { search: 'bo' })
    tell(comes({ id: 'c', common_name: 'carol' }))
    expect(screen.getByText('bob active')).toBeInTheDocument()
  })

  it('takes nobody in where time is not the order', () => {
    const { tell } = shown({ sort: '-bytes_in' })
    tell(comes({ id: 'c', common_name: 'carol' }))
    expect(screen.getByText('bob active')).toBeInTheDocument()
  })
})

describe('who belongs to a list', () => {
  const session = aSession({ common_name: 'JDoe@example.com', virtual_ip: '10.8.3.7', real_ip: '2001:db8::7', vpn_user_id: 7 })

  it.each([
    [{}, true],
    [{ search: 'jdoe' }, true],
    [{ search: 'smith' }, false],
    [{ ip: '10.8.3.7' }, true],
    [{ ip: '10.8.3.0/24' }, true],
    [{ ip: '10.8.0.0/22' }, true],
    [{ ip: '10.8.4.0/24' }, false],
    [{ ip: '0.0.0.0/0' }, true],
    [{ ip: '2001:DB8::7' }, true],
    [{ user_id: 7 }, true],
    [{ user_id: 8 }, false],
    [{ status: ['active' as const] }, true],
    [{ status: ['timeout' as const] }, false],
    [{ server_instance: ['vpn-1', 'vpn-2'] }, true],
    [{ server_instance: ['vpn-2'] }, false],
    [{ from_date: '2026-02-13T12:00:00.000Z' }, true],
    [{ from_date: '2026-02-13T12:00:01.000Z' }, false],
    [{ to_date: '2026-02-13T11:59:59.999Z' }, false],
  ])('%o: %s', (filter, expected) => {
    expect(matcher(filter)(session)).toBe(expected)
  })
})
