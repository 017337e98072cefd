import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import type { paths } from '@/api/generated/query-api'

export type AuditFilter = NonNullable<paths['/api/audit-logs']['get']['parameters']['query']>

export function auditLogsQuery(query: AuditFilter) {
  return queryOptions({
    queryKey: ['audit-logs', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/audit-logs', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
}
