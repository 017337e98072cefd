import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import type { VpnUserFilter } from './view'

export function vpnUsersQuery(filter: VpnUserFilter, order: { sort: string; page: number; per_page: number }) {
  const query = { ...filter, sort: order.sort, page: order.page, per_page: order.per_page }
  return queryOptions({
    queryKey: ['vpn-users', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/vpn-users', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
}

export function vpnUserQuery(id: number) {
  return queryOptions({
    queryKey: ['vpn-users', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/vpn-users/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  })
}

export function activityQuery(id: number) {
  return queryOptions({
    queryKey: ['vpn-users', 'activity', id],
    queryFn: ({ signal }) => answer(api.GET('/api/vpn-users/{id}/activity', { params: { path: { id }, query: { days: 30 } }, signal })),
  })
}

export function denialsOfUserQuery(id: number) {
  const query = { vpn_user_id: id, state: 'in_force' as const, per_page: 20 }
  return queryOptions({
    queryKey: ['denials', query],
    queryFn: ({ signal }) => answer(api.GET('/api/denials', { params: { query }, signal })),
    refetchInterval: 15_000,
  })
}
