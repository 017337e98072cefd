import { act, screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import type { Session } from '@/api/types'
import { renderPage } from '@/testing/render'
import { aSession } from '@/testing/session'
import type { ServerFrame } from './frames'
import { useLiveRows } from './hooks'
import { LiveStore } from './store'

const rows = [aSession({ id: 'a' }), aSession({ id: 'b' })]
const updated = (session: Session): ServerFrame => ({
  event: 'session_updated',
  position: '1-1-1',
  server_instance: 'vpn-1',
  sessions: [session],
})

it('gives a list its newest rows, and the very same list while nothing in it has changed', () => {
  vi.useFakeTimers()
  const given: Session[][] = []
  function List() {
    const live = useLiveRows(rows)
    given.push(live)
    return <p>{live.map((session) => session.version).join(' ')}</p>
  }
  const store = new LiveStore()
  renderPage(<List />, { store })
  const tell = (session: Session) =>
    act(() => {
      store.frame(updated(session), 0)
      vi.advanceTimersByTime(1000)
    })
  tell(aSession({ id: 'a', version: 2 }))
  expect(screen.getByText('2 1')).toBeInTheDocument()
  const before = given.at(-1)
  const renders = given.length
  expect(before?.[1]).toBe(rows[1])
  // Somebody else's session, and one that is not newer.
  tell(aSession({ id: 'c', version: 9 }))
  tell(aSession({ id: 'a', version: 2 }))
  expect(given).toHaveLength(renders)
  vi.useRealTimers()
})
