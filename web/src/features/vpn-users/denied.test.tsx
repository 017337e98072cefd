import { screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { api } from '@/api/client'
import { renderPage } from '@/testing/render'
import { Denied } from './Denied'

it('a VPN user who may not connect somewhere is said so, with until when and why', async () => {
  const denial = {
    id: '0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    server_instance: 'vpn-1',
    server_key: 1,
    vpn_user_id: 7,
    common_name: 'jdoe',
    state: 'in_force' as const,
    requested_by: 'admin',
    reason: 'Left the company',
    created_at: '2026-02-13T12:00:00.000Z',
    deny_until: '2026-02-13T13:00:00.000Z',
  }
  const data = { denials: [denial], total: 1, pages: 1, page: 1, per_page: 20, total_is_estimate: false }
  const get = vi.spyOn(api, 'GET').mockResolvedValue({ data, response: new Response() } as never)
  renderPage(<Denied userId={7} />)
  expect(await screen.findByRole('alert')).toHaveTextContent('New connects to vpn-1 are refused until')
  expect(screen.getByRole('alert')).toHaveTextContent('Left the company')
  const query = { vpn_user_id: 7, state: 'in_force', per_page: 20 }
  expect(get).toHaveBeenCalledWith('/api/denials', expect.objectContaining({ params: { query } }))
})
