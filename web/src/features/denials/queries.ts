import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'

export type Shown = 'in_force' | 'all'

export function denialsQuery({ shown, page, per_page }: { shown: Shown; page: number; per_page: number }) {
  const query = { page, per_page, ...(shown === 'in_force' && { state: shown }) }
  return queryOptions({
    queryKey: ['denials', query],
    queryFn: ({ signal }) => answer(api.GET('/api/denials', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  })
}
