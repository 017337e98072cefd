import type { Location } from 'react-router'

/** The login page's address that leads back to where one was going. */
export function loginPath(location: Pick<Location, 'pathname' | 'search' | 'hash'>, expired: boolean): string {
  const search = new URLSearchParams()
  const target = location.pathname + location.search + location.hash
  if (target !== '/' && target !== '/dashboard') search.set('to', target)
  if (expired) search.set('expired', '1')
  return search.size > 0 ? `/?${search}` : '/'
}

/** Where to go after the login: only ever a path of this portal. */
export function returnTo(search: URLSearchParams, fallback: string): string {
  const target = search.get('to')
  if (!target) return fallback
  try {
    const url = new URL(target, location.origin)
    if (url.origin !== location.origin || url.pathname === '/') return fallback
    return url.pathname + url.search + url.hash
  } catch {
    return fallback
  }
}
