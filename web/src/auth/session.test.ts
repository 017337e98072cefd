import { beforeEach, describe, expect, it, vi } from 'vitest'

const credentials = { username: 'jdoe', password: 'right', remember_me: false }

interface Answers {
  logoutAll?: () => Response
  login?: () => Response
  refresh?: () => Response
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const tokens = (text: string, expires_in = 3600) => json({ access_token: text, token_type: 'Bearer', expires_in })
const refused = (error: string) => json({ error, detail: error, title: 'Unauthorized', request_id: 'r-1' }, 401)

/** The module keeps its state, so each test gets a fresh one, with a server that answers as told. */
async function fresh(answers: Answers) {
  vi.resetModules()
  // Each is a browser of its own, not another tab.
  vi.stubGlobal('BroadcastChannel', undefined)
  const calls: string[] = []
  vi.stubGlobal('fetch', async (input: string | Request, init?: RequestInit) => {
    const path = new URL(typeof input === 'string' ? input : input.url, location.origin).pathname
    const authorization = input instanceof Request ? input.headers.get('authorization') : new Headers(init?.headers).get('authorization')
    calls.push(authorization ? `${path} ${authorization}` : path)
    if (path === '/api/auth/login') return answers.login?.() ?? tokens('first')
    if (path === '/api/auth/refresh') return answers.refresh?.() ?? tokens('second')
    if (path === '/api/auth/me')
      return json({
        id: 7,
        username: 'jdoe',
        roles: [
          { id: 3, name: 'viewer' },
          { id: 99, name: 'of the future' },
        ],
      })
    if (path === '/api/auth/logout-all') return answers.logoutAll?.() ?? new Response(null, { status: 204 })
    if (path === '/api/auth/logout') return new Response(null, { status: 204 })
    return authorization === 'Bearer second' ? json({ servers: [] }) : refused('expired_token')
  })
  const session = await import('./session')
  const { authorizedFetch } = await import('@/api/client')
  return { ...session, authorizedFetch, calls, count: (path: string) => calls.filter((call) => call.startsWith(path)).length }
}

beforeEach(() => localStorage.clear())

describe('signing in', () => {
  it('keeps the token in memory only', async () => {
    const session = await fresh({})
    await session.login(credentials)
    expect(session.authState()).toEqual({
      kind: 'signed-in',
      user: { id: 7, username: 'jdoe', roles: ['viewer'], requiredAction: undefined },
    })
    expect(await session.accessToken()).toBe('first')
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('first')
  })

  it('throws what the server answered', async () => {
    const session = await fresh({ login: () => refused('otp_required') })
    await expect(session.login(credentials)).rejects.toMatchObject({ status: 401, error: 'otp_required', requestId: 'r-1' })
  })

  it('gives no roles while something is required first', async () => {
    const session = await fresh({ login: () => json({ access_token: 'first', expires_in: 60, required_action: 'change_password' }) })
    await session.login(credentials)
    expect(session.authState()).toMatchObject({ user: { roles: [], requiredAction: 'change_password' } })
  })
})

describe('starting', () => {
  it('asks nobody when nobody was signed in here', async () => {
    const session = await fresh({})
    await session.start()
    expect(session.authState()).toEqual({ kind: 'anonymous', expired: false })
    expect(session.calls).toEqual([])
  })

  it('goes on with the refresh cookie', async () => {
    localStorage.setItem('ovt.signed-in', '1')
    const session = await fresh({})
    await session.start()
    expect(session.authState().kind).toBe('signed-in')
  })

  it('does not take a server that is away for a lost session', async () => {
    localStorage.setItem('ovt.signed-in', '1')
    const session = await fresh({ refresh: () => json({ error: 'service_unavailable' }, 503) })
    await session.start()
    expect(session.authState().kind).toBe('unreachable')
    expect(localStorage.getItem('ovt.signed-in')).toBe('1')
  })
})

describe('a refused token', () => {
  it('is renewed once, however many requests met it, and they are repeated', async () => {
    const session = await fresh({})
    await session.login(credentials)
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => session.authorizedFetch(new Request(`${location.origin}/api/servers`))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(session.count('/api/auth/refresh')).toBe(1)
  })

  it('ends the session when it cannot be renewed', async () => {
    const session = await fresh({ refresh: () => refused('invalid_refresh_token') })
    await session.login(credentials)
    expect((await session.authorizedFetch(new Request(`${location.origin}/api/servers`))).status).toBe(401)
    expect(session.authState()).toEqual({ kind: 'anonymous', expired: true })
    expect(await session.accessToken()).toBeNull()
  })

  it('is renewed before it expires, unasked', async () => {
    const session = await fresh({ login: () => tokens('first', 4) })
    await session.login(credentials)
    expect(await session.accessToken()).toBe('second')
  })
})

it('signing out forgets the token even when the server cannot be told', async () => {
  const session = await fresh({})
  await session.login(credentials)
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
  await expect(session.logout()).rejects.toMatchObject({ name: 'Unreachable' })
  expect(session.authState()).toEqual({ kind: 'anonymous', expired: false })
  expect(await session.accessToken()).toBeNull()
})

it('signing out everywhere signs out here too, and not at all when it fails', async () => {
  const answers: Answers = { logoutAll: () => json({ error: 'denylist_unavailable', detail: 'Redis is away.' }, 503) }
  const session = await fresh(answers)
  await session.login(credentials)
  await expect(session.logoutEverywhere()).rejects.toMatchObject({ error: 'denylist_unavailable' })
  expect(session.authState()).toMatchObject({ kind: 'signed-in' })
  delete answers.logoutAll
  await session.logoutEverywhere()
  expect(session.calls).toContain('/api/auth/logout-all Bearer first')
  expect(session.authState()).toEqual({ kind: 'anonymous', expired: false })
})
