import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { login } from '@/auth/session'
import { renderPage } from '@/testing/render'
import { RoleDemands } from './RoleDemands'

const roles = [
  { id: 1, name: 'admin', description: 'Everything', requires_totp: false },
  { id: 3, name: 'viewer', description: 'Sees', requires_totp: true },
]

/** The services' answers; what was asked of them is kept. */
function services() {
  const puts: { path: string; body: unknown }[] = []
  vi.stubGlobal('fetch', async (input: Request | string) => {
    const path = typeof input === 'string' ? input : new URL(input.url).pathname
    if (path === '/api/auth/login') return Response.json({ access_token: 'a', expires_in: 3600 })
    if (path === '/api/auth/me') return Response.json({ id: 1, username: 'admin', roles: [{ id: 1, name: 'admin' }] })
    if (input instanceof Request && input.method === 'PUT') {
      puts.push({ path, body: await input.json() })
      return Response.json({ ...roles[0], requires_totp: true })
    }
    return Response.json({ roles })
  })
  return puts
}

it('asks before a second factor is demanded, and says when it concerns oneself', async () => {
  const puts = services()
  await login({ username: 'admin', password: 'x', remember_me: false })
  renderPage(<RoleDemands />)
  const admin = await screen.findByRole('switch', { name: 'Demand two-factor sign-in of admin' })
  expect(admin).not.toBeChecked()
  expect(screen.getByRole('switch', { name: 'Demand two-factor sign-in of viewer' })).toBeChecked()

  await userEvent.click(admin)
  expect(puts).toEqual([])
  expect(screen.getByText('You have this role yourself.')).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Demand it' }))
  await waitFor(() => expect(puts).toEqual([{ path: '/api/portal-roles/1', body: { requires_totp: true } }]))
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
})
