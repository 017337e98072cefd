import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from './client'
import type { ServerStatus } from './types'

/** Keys begin with `servers`, so that a `server_update` of the socket refreshes them all. */
export function serversQuery(filter: { search: string; status: ServerStatus[] }) {
  const query = {
    per_page: 500,
    ...(filter.search && { search: filter.search }),
    ...(filter.status.length > 0 && { status: filter.status }),
  }
  return queryOptions({
    queryKey: ['servers', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/servers', { params: { query }, signal })),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
}

export function serverQuery(id: number) {
  return queryOptions({
    queryKey: ['servers', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/servers/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  })
}
