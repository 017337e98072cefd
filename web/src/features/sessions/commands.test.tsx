import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { Command } from '@/api/types'
import { renderPage } from '@/testing/render'
import { Commands } from './Commands'
import { isUnderWay } from './view'

function aCommand(change: Partial<Command>): Command {
  return {
    id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    kind: 'terminate',
    session_id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c',
    server_instance: 'vpn-1',
    server_key: 1,
    vpn_user_id: 7,
    common_name: 'jdoe',
    state: 'requested',
    requested_by: 'admin',
    reason: 'Left the company',
    requested_at: '2026-02-13T12:00:00.000Z',
    expires_at: '2026-02-13T12:02:00.000Z',
    ...change,
  }
}

/** The address below the page is a status too. */
const told = () => screen.getAllByRole('status')[0]

describe('a termination', () => {
  it('shows each step with the time it took', () => {
    renderPage(
      <Commands
        commands={[
          aCommand({
            state: 'reconnected',
            delivered_at: '2026-02-13T12:00:00.250Z',
            accepted_at: '2026-02-13T12:00:00.300Z',
            gone_at: '2026-02-13T12:00:05.300Z',
            reconnected_at: '2026-02-13T12:00:06.000Z',
            reconnected_session_id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5d',
          }),
        ]}
      />,
    )
    expect(told()).toHaveTextContent('The session ended, and the VPN user has connected again.')
    expect(screen.getByRole('list', { name: 'Steps' })).toHaveTextContent(
      'delivered after 0.3 saccepted by the daemon after 0.3 sgone after 5.3 sreconnected after 6.0 s',
    )
    expect(screen.getByRole('link', { name: 'the new session' })).toHaveAttribute('href', '/sessions/0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5d')
  })

  it('says why it failed', () => {
    renderPage(
      <Commands commands={[aCommand({ state: 'failed', failed_at: '2026-02-13T12:00:10Z', failure: 'The agent is not attached.' })]} />,
    )
    expect(told()).toHaveTextContent('The agent is not attached.')
  })

  it('does not claim that nothing was done when the agent has it and is silent', () => {
    renderPage(<Commands commands={[aCommand({ state: 'unanswered', delivered_at: '2026-02-13T12:00:01Z' })]} />)
    expect(told()).toHaveTextContent('has not told how it ended')
    expect(screen.queryByText(/nothing was done/)).not.toBeInTheDocument()
  })

  it('is asked after quickly only while it is under way', () => {
    expect(['requested', 'delivered', 'accepted', 'gone'].every(isUnderWay)).toBe(true)
    expect(['stayed_gone', 'reconnected', 'failed', 'expired', 'unanswered'].some(isUnderWay)).toBe(false)
  })
})
