import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api } from '@/api/client'
import type { Denial } from '@/api/types'
import * as auth from '@/auth/useAuth'
import { renderPage } from '@/testing/render'
import { DenialsPage } from './DenialsPage'

const inForce: Denial = {
  id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
  server_instance: 'vpn-1',
  server_key: 1,
  vpn_user_id: 7,
  common_name: 'jdoe',
  state: 'in_force',
  requested_by: 'admin',
  reason: 'Left the company',
  created_at: '2026-02-13T12:00:00.000Z',
  deny_until: '2026-02-13T13:00:00.000Z',
}

function answering(denials: Denial[]) {
  const data = { denials, total: denials.length, pages: 1, page: 1, per_page: 50, total_is_estimate: false }
  return vi.spyOn(api, 'GET').mockResolvedValue({ data, response: new Response() } as never)
}

beforeEach(() => {
  vi.restoreAllMocks()
})

describe('denials', () => {
  it('say whether the agent knows of them', async () => {
    answering([inForce, { ...inForce, id: 'b', common_name: 'mallory', applied_at: '2026-02-13T12:00:01.000Z' }])
    vi.spyOn(auth, 'usePermission').mockReturnValue(false)
    renderPage(<DenialsPage />)
    const [first, second] = (await screen.findAllByRole('row')).slice(1)
    expect(first).toHaveTextContent('agent not told yet')
    expect(second).toHaveTextContent('refused')
    expect(screen.queryByRole('button', { name: /Revoke/ })).not.toBeInTheDocument()
  })

  it('are revoked after a question', async () => {
    answering([inForce])
    vi.spyOn(auth, 'usePermission').mockReturnValue(true)
    const revoke = vi.spyOn(api, 'DELETE').mockResolvedValue({ data: inForce, response: new Response() })
    renderPage(<DenialsPage />)
    await userEvent.click(await screen.findByRole('button', { name: 'Revoke the denial of jdoe' }))
    const dialog = screen.getByRole('dialog')
    expect(revoke).not.toHaveBeenCalled()
    await userEvent.click(within(dialog).getByRole('button', { name: 'Revoke' }))
    expect(revoke).toHaveBeenCalledWith('/api/denials/{id}', { params: { path: { id: inForce.id } } })
  })

  it('show those in force, and all of them when asked', async () => {
    const get = answering([])
    vi.spyOn(auth, 'usePermission').mockReturnValue(true)
    renderPage(<DenialsPage />)
    expect(await screen.findByText('Nobody is denied')).toBeInTheDocument()
    await userEvent.click(screen.getByRole('button', { name: 'All' }))
    expect(screen.getByTestId('address')).toHaveTextContent('shown=all')
    expect(await screen.findByText('Nobody was ever denied')).toBeInTheDocument()
    expect(get).toHaveBeenLastCalledWith('/api/denials', expect.objectContaining({ params: { query: { page: 1, per_page: 50 } } }))
  })
})
