import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'

export function activeSessionsQuery(server: string, count: number) {
  const query = { server_instance: [server], status: ['active' as const], sort: '-connected_at', per_page: count }
  return queryOptions({
    queryKey: ['sessions', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/sessions', { params: { query }, signal })),
    refetchInterval: 15_000,
  })
}

export function serverKeysQuery(id: number) {
  return queryOptions({
    queryKey: ['server-keys', id],
    queryFn: ({ signal }) => answer(api.GET('/api/servers/{id}/keys', { params: { path: { id } }, signal })),
  })
}

/** The last so many hours, up to the current minute. */
export function healthQuery(id: number, hours: number) {
  return queryOptions({
    queryKey: ['server-health', id, hours],
    queryFn: ({ signal }) => {
      const from_date = new Date(Date.now() - hours * 3_600_000).toISOString()
      return answer(api.GET('/api/servers/{id}/health', { params: { path: { id }, query: { from_date } }, signal }))
    },
    refetchInterval: 60_000,
  })
}
