import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import type { Session, SessionDetail } from '@/api/types'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { SessionStatusChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatDuration } from '@/format/time'
import { relatedQuery } from './queries'

const columns: SmallColumn<Session>[] = [
  { head: 'VPN user', cell: (session) => <TextLink to={`/sessions/${session.id}`}>{session.common_name}</TextLink> },
  { head: 'Status', cell: (session) => <SessionStatusChip status={session.session_status} /> },
  { head: 'VPN server', cell: (session) => session.server_instance },
  { head: 'Virtual', cell: (session) => <Mono text={session.virtual_ip ?? session.virtual_ip6} /> },
  { head: 'Real', cell: (session) => <Mono text={session.real_ip} /> },
  { head: 'Connected', cell: (session) => <Time at={session.connected_at} relative="none" /> },
  { head: 'Duration', numeric: true, cell: (session) => formatDuration(session.duration_seconds) },
]

/** Who else, and when else: the same VPN user, the same addresses. */
export function Related({ session }: { session: SessionDetail }) {
  const query = useQuery(relatedQuery(session.id))
  const virtual = session.virtual_ip ?? session.virtual_ip6
  return (
    <QueryState query={query} what="other sessions" loading={<LoadingBlock height={220} />}>
      {({ same_user, same_virtual_ip, same_real_ip }) => (
        <Box sx={{ display: 'grid', gap: 2 }}>
          <Others title="Other sessions of this VPN user" sessions={same_user} all={`/sessions?user_id=${session.vpn_user_id}`} />
          {virtual && (
            <Others
              title={`Other sessions with ${virtual} on this VPN server`}
              sessions={same_virtual_ip}
              all={`/sessions?ip=${encodeURIComponent(virtual)}&server_instance=${encodeURIComponent(session.server_instance)}`}
            />
          )}
          {session.real_ip && (
            <Others
              title={`Other sessions from ${session.real_ip}`}
              sessions={same_real_ip}
              all={`/sessions?ip=${encodeURIComponent(session.real_ip)}`}
            />
          )}
        </Box>
      )}
    </QueryState>
  )
}

function Others({ title, sessions, all }: { title: string; sessions: Session[]; all: string }) {
  return (
    <Panel
      flush
      title={title}
      note={sessions.length > 0 ? `the latest ${sessions.length}` : undefined}
      actions={
        <TextLink to={all} variant="body2">
          All
        </TextLink>
      }
    >
      {sessions.length === 0 ? (
        <EmptyState title="None" />
      ) : (
        <SmallTable label={title} columns={columns} rows={sessions} rowKey={(one) => one.id} maxHeight={320} />
      )}
    </Panel>
  )
}
