import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'

export const profileQuery = queryOptions({
  queryKey: ['profile', 'own'],
  queryFn: ({ signal }) => answer(api.GET('/api/profile', { signal })),
})

export const loginsQuery = queryOptions({
  queryKey: ['profile', 'logins'],
  queryFn: ({ signal }) => answer(api.GET('/api/profile/logins', { signal })),
})

export const ownAuditQuery = queryOptions({
  queryKey: ['profile', 'audit'],
  queryFn: ({ signal }) => answer(api.GET('/api/profile/audit', { signal })),
})

export const portalSessionsQuery = queryOptions({
  queryKey: ['profile', 'sessions'],
  queryFn: ({ signal }) => answer(api.GET('/api/profile/sessions', { signal })),
})
