import { problemOf, Unreachable } from '@/api/problem'
import { isRole, type Role } from './roles'

/** Must be done before the roles count. */
export type RequiredAction = 'change_password' | 'enrol_totp'

export interface PortalUser {
  id: number
  username: string
  /** Empty while something is required. */
  roles: Role[]
  requiredAction: RequiredAction | undefined
}

export type AuthState =
  | { kind: 'starting' }
  | { kind: 'anonymous'; expired: boolean }
  /** The refresh cookie may be good, but nobody answers. */
  | { kind: 'unreachable'; error: unknown }
  | { kind: 'signed-in'; user: PortalUser }

export interface Credentials {
  username: string
  password: string
  otp?: string
  remember_me: boolean
}

interface Token {
  text: string
  requiredAction: RequiredAction | undefined
  receivedAt: number
  expiresAt: number
}

type Broadcast = { kind: 'token'; token: Token } | { kind: 'signed-out' }

/** Tells only that a refresh is worth a try; the token itself is in memory, the refresh token in a cookie out of reach. */
const hintKey = 'ovt.signed-in'
const renewBeforeMs = 60_000

let state: AuthState = { kind: 'starting' }
let token: Token | undefined
let renewing: Promise<boolean> | undefined
let renewTimer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()
const tokenListeners = new Set<(token: string) => void>()
const tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('ovt-auth')

tabs?.addEventListener('message', (event: MessageEvent<Broadcast>) => {
  if (event.data.kind === 'signed-out') forget(false)
  else void accept(event.data.token).catch(() => undefined)
})

function setState(next: AuthState): void {
  state = next
  for (const listener of listeners) listener()
}

export function authState(): AuthState {
  return state
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Told of each new access token: the socket renews with it. */
export function onToken(listener: (token: string) => void): () => void {
  tokenListeners.add(listener)
  return () => tokenListeners.delete(listener)
}

function hint(): boolean {
  try {
    return localStorage.getItem(hintKey) !== null
  } catch {
    return true
  }
}

function setHint(present: boolean): void {
  try {
    if (present) localStorage.setItem(hintKey, '1')
    else localStorage.removeItem(hintKey)
  } catch {
    // Closed storage: then a refresh is tried each time.
  }
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, credentials: 'same-origin' })
  } catch (error) {
    throw new Unreachable(error)
  }
}

function post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
  return reach(path, init)
}

async function tokenFrom(response: Response): Promise<Token> {
  const body = (await response.json()) as { access_token: string; expires_in: number; required_action?: RequiredAction }
  const receivedAt = Date.now()
  return { text: body.access_token, requiredAction: body.required_action, receivedAt, expiresAt: receivedAt + body.expires_in * 1000 }
}

async function whoIs(token: Token): Promise<PortalUser> {
  const response = await reach('/api/auth/me', { headers: { authorization: `Bearer ${token.text}` } })
  if (!response.ok) throw await problemOf(response)
  const me = (await response.json()) as { id: number; username: string; roles: { name: string }[] }
  const roles = token.requiredAction ? [] : me.roles.map((role) => role.name).filter(isRole)
  return { id: me.id, username: me.username, roles, requiredAction: token.requiredAction }
}

async function accept(next: Token): Promise<void> {
  const user = await whoIs(next)
  token = next
  setHint(true)
  scheduleRenewal(next)
  for (const listener of tokenListeners) listener(next.text)
  setState({ kind: 'signed-in', user })
}

function scheduleRenewal(token: Token): void {
  clearTimeout(renewTimer)
  const life = token.expiresAt - token.receivedAt
  const wait = Math.max(1000, life - Math.min(renewBeforeMs, life / 4))
  renewTimer = setTimeout(() => void renew().catch(() => undefined), wait)
}

function forget(expired: boolean): void {
  token = undefined
  clearTimeout(renewTimer)
  setHint(false)
  setState({ kind: 'anonymous', expired })
}

/** Runs alone among all tabs of this browser. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work()
  return navigator.locks.request('ovt-refresh', work)
}

async function refreshNow(before: Token | undefined): Promise<boolean> {
  // Another tab had the lock first, and has told its token meanwhile.
  if (token && token !== before) return true
  const response = await post('/api/auth/refresh', {})
  if (response.status === 401 || response.status === 403 || response.status === 404) {
    forget(state.kind === 'signed-in')
    return false
  }
  if (!response.ok) throw await problemOf(response)
  const next = await tokenFrom(response)
  await accept(next)
  tabs?.postMessage({ kind: 'token', token: next } satisfies Broadcast)
  return true
}

/** Gets a new access token with the refresh cookie: once, however many ask. False: one has to log in again. */
export function renew(): Promise<boolean> {
  const before = token
  renewing ??= alone(() => refreshNow(before)).finally(() => {
    renewing = undefined
  })
  return renewing
}

/** At the start of the page: signs in with the refresh cookie, if there may be one. */
export async function start(): Promise<void> {
  if (!hint()) return forget(false)
  try {
    await renew()
  } catch (error) {
    setState({ kind: 'unreachable', error })
  }
}

/** Throws a `Problem` (`invalid_credentials`, `otp_required`, …) or `Unreachable`. */
export async function login(credentials: Credentials): Promise<void> {
  const response = await post('/api/auth/login', { ...credentials, cookie: true })
  if (!response.ok) throw await problemOf(response)
  const next = await tokenFrom(response)
  await accept(next)
  tabs?.postMessage({ kind: 'token', token: next } satisfies Broadcast)
}

/** Ends the session on the server and in every tab. Signed out here even when the server cannot be told. */
export async function logout(): Promise<void> {
  const authorization = token && { authorization: `Bearer ${token.text}` }
  try {
    const response = await post('/api/auth/logout', {}, authorization)
    if (!response.ok && response.status !== 401) throw await problemOf(response)
  } finally {
    tabs?.postMessage({ kind: 'signed-out' } satisfies Broadcast)
    forget(false)
  }
}

/** Ends every session of this portal user, this one too. When it fails, one is still signed in here. */
export async function logoutEverywhere(): Promise<void> {
  const bearer = await accessToken()
  const response = await post('/api/auth/logout-all', {}, bearer ? { authorization: `Bearer ${bearer}` } : undefined)
  if (!response.ok) throw await problemOf(response)
  tabs?.postMessage({ kind: 'signed-out' } satisfies Broadcast)
  forget(false)
}

/** A token that is good for the next seconds, or null when nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  if (token && token.expiresAt - Date.now() < 5000) await renew()
  return token?.text ?? null
}

/** After a 401: another token than `refused`, or null when one has to log in again. */
export async function anotherToken(refused: string): Promise<string | null> {
  if (token && token.text !== refused) return token.text
  return (await renew()) ? (token?.text ?? null) : null
}
