import { expect, it } from 'vitest'
import { loginPath, returnTo } from './returnTo'

const at = (pathname: string, search = '') => ({ pathname, search, hash: '' })

it('the login leads back to where one was going, with its view', () => {
  const path = loginPath(at('/sessions', '?status=active&page=3'), false)
  expect(returnTo(new URLSearchParams(path.slice(2)), '/dashboard')).toBe('/sessions?status=active&page=3')
  expect(loginPath(at('/dashboard'), false)).toBe('/')
  expect(loginPath(at('/dashboard'), true)).toBe('/?expired=1')
})

it.each(['https://evil.example/x', '//evil.example', 'javascript:alert(1)', '/', '\\\\evil.example', 'http://'])(
  'never leads to %s',
  (target) => {
    expect(returnTo(new URLSearchParams({ to: target }), '/dashboard')).toBe('/dashboard')
  },
)
