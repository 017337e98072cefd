import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import { isUnderWay, type SessionFilter } from './view'

export function sessionsQuery(filter: SessionFilter, order: { sort: string; page: number; per_page: number }) {
  const { sort, page, per_page } = order
  const query = { ...filter, page, per_page, ...(sort && { sort }) }
  return queryOptions({
    queryKey: ['sessions', 'list', query],
    queryFn: ({ signal }) => answer(api.GET('/api/sessions', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
}

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ['sessions', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/sessions/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) =>
      state.data?.session_status === 'active' || state.data?.commands.some(({ state: command }) => isUnderWay(command)) ? 5_000 : false,
  })
}

/** How far what was asked of a session has come, by itself: it moves faster than the session does. */
export function commandsQuery(id: string) {
  const query = { session_id: id, per_page: 3 }
  return queryOptions({
    queryKey: ['sessions', 'commands', id],
    queryFn: ({ signal }) => answer(api.GET('/api/commands', { params: { query }, signal })),
    refetchInterval: 1_000,
  })
}

export function trafficQuery(id: string, isActive: boolean) {
  return queryOptions({
    queryKey: ['sessions', 'traffic', id],
    queryFn: ({ signal }) => answer(api.GET('/api/sessions/{id}/traffic', { params: { path: { id } }, signal })),
    refetchInterval: isActive && 15_000,
  })
}

export function relatedQuery(id: string) {
  return queryOptions({
    queryKey: ['sessions', 'related', id],
    queryFn: ({ signal }) => answer(api.GET('/api/sessions/{id}/related', { params: { path: { id } }, signal })),
  })
}

export function userSuggestionsQuery(search: string) {
  return queryOptions({
    queryKey: ['vpn-users', 'suggestions', search],
    queryFn: ({ signal }) => answer(api.GET('/api/vpn-users', { params: { query: { search, per_page: 8 } }, signal })),
    enabled: search.length >= 2,
    placeholderData: keepPreviousData,
  })
}

export function vpnUserNameQuery(id: number) {
  return queryOptions({
    queryKey: ['vpn-users', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/vpn-users/{id}', { params: { path: { id } }, signal })),
  })
}
