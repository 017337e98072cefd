import type { SessionStatus } from '@/api/types'
import { classify } from '@/format/address'
import { rangeView, type Dates } from '@/view-state/range'
import { integer, list, optionalText, someOf, text, type ViewOf } from '@/view-state/url'

export const sessionStatuses = ['active', 'disconnected', 'timeout'] as const satisfies readonly SessionStatus[]

/** Everything that a link to a list of sessions says. The names are the API's. */
export const sessionsView = {
  search: text(),
  ip: text(),
  user_id: optionalText(),
  status: someOf(sessionStatuses),
  server_instance: list(),
  ...rangeView('all'),
  sort: text('-connected_at'),
  page: integer(1),
  per_page: integer(50),
  columns: list(),
}

export type SessionsView = ViewOf<typeof sessionsView>

export const noFilter: Partial<SessionsView> = {
  search: '',
  ip: '',
  user_id: undefined,
  status: [],
  server_instance: [],
  range: 'all',
  from: undefined,
  to: undefined,
}

export function isFiltered(view: SessionsView): boolean {
  return (
    view.search !== '' ||
    view.ip !== '' ||
    view.user_id !== undefined ||
    view.status.length > 0 ||
    view.server_instance.length > 0 ||
    view.range !== 'all'
  )
}

export function ipError(ip: string): string | undefined {
  const kind = ip === '' ? 'address' : classify(ip)
  return kind === 'address' || kind === 'network' ? undefined : 'An address (10.8.0.2) or a network (10.8.0.0/24)'
}

/** What the API is asked for: the list and its export the same. */
export function filterOf(view: SessionsView, dates: Dates) {
  return {
    ...(view.search && { search: view.search }),
    ...(view.ip && !ipError(view.ip) && { ip: view.ip }),
    ...(view.user_id && { user_id: Number(view.user_id) }),
    ...(view.status.length > 0 && { status: view.status }),
    ...(view.server_instance.length > 0 && { server_instance: view.server_instance }),
    ...dates,
  }
}

export type SessionFilter = ReturnType<typeof filterOf>

/** A path to the export of the whole filter: by connect time, as exports are. */
export function exportPath(format: 'csv' | 'xlsx', filter: SessionFilter, sort: string): string {
  const query = new URLSearchParams({ format })
  for (const [name, value] of Object.entries(filter)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  if (sort === 'connected_at') query.set('sort', sort)
  return `/api/sessions/export?${query}`
}

/** Whether a command may still come to something. */
export function isUnderWay(state: string): boolean {
  return ['requested', 'delivered', 'accepted', 'gone'].includes(state)
}
