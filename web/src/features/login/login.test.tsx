import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import * as session from '@/auth/session'
import { renderPage } from '@/testing/render'
import { LoginPage } from './LoginPage'

async function typed(username: string, password: string) {
  if (username) await userEvent.type(screen.getByLabelText('Username'), username)
  if (password) await userEvent.type(screen.getByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

describe('the login', () => {
  it('says what is missing before it asks anybody', async () => {
    const login = vi.spyOn(session, 'login')
    renderPage(<LoginPage />)
    await typed('', '')
    expect(screen.getByText('Enter your username')).toBeInTheDocument()
    expect(screen.getByText('Enter your password')).toBeInTheDocument()
    expect(login).not.toHaveBeenCalled()
  })

  it('tells no part of a refusal, and keeps what was typed', async () => {
    vi.spyOn(session, 'login').mockRejectedValue(new Problem(401, { error: 'invalid_credentials', detail: 'x' }))
    renderPage(<LoginPage />)
    await typed('jdoe', 'wrong')
    expect(await screen.findByRole('alert')).toHaveTextContent('The sign-in details are not correct, or the account is locked.')
    expect(screen.getByLabelText('Username')).toHaveValue('jdoe')
    expect(screen.getByLabelText('Password')).toHaveValue('wrong')
  })

  it('asks for the code after a right password, and sends both', async () => {
    const login = vi
      .spyOn(session, 'login')
      .mockRejectedValueOnce(new Problem(401, { error: 'otp_required' }))
      .mockResolvedValueOnce()
    renderPage(<LoginPage />)
    await typed('jdoe', 'right')
    await userEvent.type(await screen.findByLabelText('Code'), '123 456')
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
    expect(login).toHaveBeenLastCalledWith({ username: 'jdoe', password: 'right', remember_me: false, otp: '123456' })
  })

  it('says how long to wait after too many attempts', async () => {
    vi.spyOn(session, 'login').mockRejectedValue(new Problem(429, { error: 'rate_limited' }, new Headers({ 'retry-after': '300' })))
    renderPage(<LoginPage />)
    await typed('jdoe', 'wrong')
    expect(await screen.findByRole('alert')).toHaveTextContent('Try again in 5 minutes')
  })
})
