import type { Session, VpnUserDetail } from '@/api/types'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { SessionStatusChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatBytes } from '@/format/number'
import { formatDuration } from '@/format/time'
import { useLiveRows } from '@/realtime/hooks'

const columns: SmallColumn<Session>[] = [
  {
    head: 'Connected',
    cell: (session) => (
      <TextLink to={`/sessions/${session.id}`}>
        <Time at={session.connected_at} />
      </TextLink>
    ),
  },
  { head: 'Status', cell: (session) => <SessionStatusChip status={session.session_status} /> },
  { head: 'VPN server', cell: (session) => session.server_instance },
  { head: 'Virtual address', cell: (session) => <Mono text={session.virtual_ip ?? session.virtual_ip6} /> },
  { head: 'Real address', cell: (session) => <Mono text={session.real_ip} /> },
  { head: 'Duration', numeric: true, cell: (session) => formatDuration(session.duration_seconds) },
  { head: 'From client', numeric: true, cell: (session) => formatBytes(session.bytes_in) },
  { head: 'To client', numeric: true, cell: (session) => formatBytes(session.bytes_out) },
]

export function RecentSessions({ user }: { user: VpnUserDetail }) {
  const sessions = useLiveRows(user.recent_sessions)
  return (
    <Panel
      flush
      title="Recent sessions"
      note={`the latest ${sessions.length}`}
      actions={
        <TextLink to={`/sessions?user_id=${user.id}`} variant="body2">
          All sessions
        </TextLink>
      }
    >
      {sessions.length === 0 ? (
        <EmptyState title="No session yet" />
      ) : (
        <SmallTable label="Recent sessions" columns={columns} rows={sessions} rowKey={(session) => session.id} />
      )}
    </Panel>
  )
}
