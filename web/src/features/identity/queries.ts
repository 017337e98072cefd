import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'

/** Without `at` it is about now, and asked again from time to time. */
export function identityQuery(ip: string, at: string | undefined) {
  const query = { ip, ...(at && { at }) }
  return queryOptions({
    queryKey: ['identity', query],
    queryFn: ({ signal }) => answer(api.GET('/api/identity', { params: { query }, signal })),
    refetchInterval: at ? false : 15_000,
  })
}
