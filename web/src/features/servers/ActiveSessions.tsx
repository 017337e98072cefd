import { useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import type { LiveSession, ServerDetail } from '@/api/types'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Mono } from '@/components/Mono'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatBytes, formatCount } from '@/format/number'
import { useActiveSessions } from '@/realtime/hooks'
import { activeSessionsQuery } from './queries'

const shown = 12

const columns: SmallColumn<LiveSession>[] = [
  { head: 'VPN user', cell: (session) => <TextLink to={`/sessions/${session.id}`}>{session.common_name}</TextLink> },
  { head: 'Virtual address', cell: (session) => <Mono text={session.virtual_ip ?? session.virtual_ip6} /> },
  { head: 'Real address', cell: (session) => <Mono text={session.real_ip} /> },
  { head: 'Connected', cell: (session) => <Time at={session.connected_at} /> },
  { head: 'From client', numeric: true, cell: (session) => formatBytes(session.bytes_in) },
  { head: 'To client', numeric: true, cell: (session) => formatBytes(session.bytes_out) },
]

/** The newest of the sessions that are active now: live, and as the API has them until the socket is there. */
export function ActiveSessions({ server }: { server: ServerDetail }) {
  const isHere = useCallback((session: LiveSession) => session.server_instance === server.name, [server.name])
  const live = useActiveSessions(isHere)
  const query = useQuery({ ...activeSessionsQuery(server.name, shown), enabled: live === undefined })
  const total = live?.length ?? query.data?.total
  const list = `/sessions?server_instance=${encodeURIComponent(server.name)}`
  return (
    <Panel
      flush
      title="Active sessions"
      note={total === undefined ? undefined : total > shown ? `the newest ${shown} of ${formatCount(total)}` : formatCount(total)}
      actions={
        <TextLink to={list} variant="body2">
          All sessions of this server
        </TextLink>
      }
    >
      {live ? (
        <Newest sessions={live} />
      ) : (
        <QueryState query={query} what="the sessions" loading={<LoadingBlock height={200} />}>
          {({ sessions }) => <Newest sessions={sessions} />}
        </QueryState>
      )}
    </Panel>
  )
}

function Newest({ sessions }: { sessions: LiveSession[] }) {
  if (sessions.length === 0) return <EmptyState title="Nobody is connected" />
  const newest = sessions.toSorted((a, b) => (a.connected_at < b.connected_at ? 1 : -1)).slice(0, shown)
  return <SmallTable label="Active sessions" columns={columns} rows={newest} rowKey={(session) => session.id} />
}
