import createClient from 'openapi-fetch'
import { accessToken, anotherToken } from '@/auth/session'
import type { paths as AuthPaths } from './generated/auth'
import type { paths as QueryPaths } from './generated/query-api'
import { problemOf, Unreachable } from './problem'

async function send(request: Request, token: string | null): Promise<Response> {
  if (token) request.headers.set('authorization', `Bearer ${token}`)
  try {
    return await globalThis.fetch(request)
  } catch (error) {
    if (request.signal.aborted) throw error
    throw new Unreachable(error)
  }
}

/** `fetch` with the access token; a refused token is renewed once and the request repeated. */
export async function authorizedFetch(request: Request): Promise<Response> {
  const token = await accessToken()
  const again = request.clone()
  const response = await send(request, token)
  if (response.status !== 401 || !token) return response
  const other = await anotherToken(token)
  return other ? send(again, other) : response
}

/** Every operation of the services' OpenAPI documents. Answers go through `answer`. */
export const api = createClient<AuthPaths & QueryPaths>({
  baseUrl: globalThis.location.origin,
  fetch: authorizedFetch,
})

/** The body of a good answer; throws a `Problem` for any other, `Unreachable` for none. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (response.ok) return data as T
  throw await problemOf(new Response(JSON.stringify(error ?? {}), { status: response.status, headers: response.headers }))
}
