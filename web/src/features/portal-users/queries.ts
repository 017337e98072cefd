import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import type { paths } from '@/api/generated/auth'

export type PortalUsersFilter = NonNullable<paths['/api/portal-users']['get']['parameters']['query']>

export function portalUsersQuery(query: PortalUsersFilter) {
  return queryOptions({
    queryKey: ['portal-users', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/portal-users', { params: { query }, signal })),
    placeholderData: keepPreviousData,
  })
}

export function portalUserQuery(id: number) {
  return queryOptions({
    queryKey: ['portal-users', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/portal-users/{id}', { params: { path: { id } }, signal })),
  })
}

export const portalRolesQuery = queryOptions({
  queryKey: ['portal-roles'],
  queryFn: ({ signal }) => answer(api.GET('/api/portal-roles', { signal })),
})
