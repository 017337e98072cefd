import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import type { paths } from '@/api/generated/query-api'

export type UnmatchedFilter = NonNullable<paths['/api/events/unmatched']['get']['parameters']['query']>
export type RejectedFilter = NonNullable<paths['/api/events/rejected']['get']['parameters']['query']>

export function unmatchedEventsQuery(query: UnmatchedFilter) {
  return queryOptions({
    queryKey: ['events', 'unmatched', query],
    queryFn: ({ signal }) => answer(api.GET('/api/events/unmatched', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
}

export function rejectedEventsQuery(query: RejectedFilter) {
  return queryOptions({
    queryKey: ['events', 'rejected', query],
    queryFn: ({ signal }) => answer(api.GET('/api/events/rejected', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
}
