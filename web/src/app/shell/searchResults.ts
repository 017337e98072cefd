import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Cable, Network, Server, UserRound, UserSearch, type LucideIcon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { answer, api } from '@/api/client'
import type { SearchResults } from '@/api/types'
import type { Role } from '@/auth/roles'
import { classify } from '@/format/address'
import { navigationFor } from './navigation'

export interface SearchResult {
  key: string
  group: string
  title: string
  detail: string
  to: string
  icon: LucideIcon
}

function useSettled(text: string, milliseconds: number): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds)
    return () => clearTimeout(timer)
  }, [text, milliseconds])
  return settled
}

function pageResults(text: string, roles: readonly Role[]): SearchResult[] {
  const wanted = text.toLowerCase()
  return navigationFor(roles)
    .filter(({ title, words = '' }) => `${title} ${words}`.toLowerCase().includes(wanted))
    .map(({ title, path, icon }) => ({ key: path, group: 'Pages', title, detail: path, to: path, icon }))
}

/** What the text means by itself: an address, a network, a session's id. */
function directResults(text: string): SearchResult[] {
  const kind = classify(text)
  const encoded = encodeURIComponent(text)
  switch (kind) {
    case 'address':
      return [
        {
          key: 'identity',
          group: 'Address',
          title: `Who held ${text}?`,
          detail: 'identity at an instant',
          to: `/identity?ip=${encoded}`,
          icon: UserSearch,
        },
        {
          key: 'ip',
          group: 'Address',
          title: `Sessions with ${text}`,
          detail: 'real or virtual',
          to: `/sessions?ip=${encoded}`,
          icon: Network,
        },
      ]
    case 'network':
      return [
        {
          key: 'ip',
          group: 'Address',
          title: `Sessions within ${text}`,
          detail: 'real or virtual',
          to: `/sessions?ip=${encoded}`,
          icon: Network,
        },
      ]
    case 'uuid':
    case 'text':
      return []
  }
}

function foundResults(found: SearchResults): SearchResult[] {
  return [
    ...found.vpn_users.map((user) => ({
      key: `user-${user.id}`,
      group: 'VPN users',
      title: user.common_name,
      detail: user.full_name ?? '',
      to: `/vpn-users/${user.id}`,
      icon: UserRound,
    })),
    ...found.sessions.map((session) => ({
      key: session.id,
      group: 'Sessions',
      title: session.common_name,
      detail: `${session.virtual_ip ?? session.real_ip ?? ''} on ${session.server_instance}, ${session.session_status}`,
      to: `/sessions/${session.id}`,
      icon: Cable,
    })),
    ...found.servers.map((server) => ({
      key: `server-${server.id}`,
      group: 'VPN servers',
      title: server.name,
      detail: server.status.replace('_', ' '),
      to: `/servers/${server.id}`,
      icon: Server,
    })),
  ]
}

export function useSearchResults(text: string, roles: readonly Role[]): { results: SearchResult[]; isSearching: boolean } {
  const trimmed = text.trim()
  const settled = useSettled(trimmed, 150)
  const query = useQuery({
    queryKey: ['search', settled],
    queryFn: ({ signal }) => answer(api.GET('/api/search', { params: { query: { q: settled } }, signal })),
    enabled: settled.length >= 2 && settled.length <= 255,
    placeholderData: keepPreviousData,
  })
  const found = query.data && trimmed.length >= 2 ? foundResults(query.data) : []
  const results = [...directResults(trimmed), ...found, ...pageResults(trimmed, roles)]
  return { results, isSearching: query.isFetching || settled !== trimmed }
}
