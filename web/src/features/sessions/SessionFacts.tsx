import Box from '@mui/material/Box'
import type { SessionDetail } from '@/api/types'
import { Facts } from '@/components/Facts'
import { Mono } from '@/components/Mono'
import { TextLink } from '@/components/TextLink'
import { Age, Time } from '@/components/Time'
import { useOfNow } from '@/format/now'
import { formatBytes, formatCount, unknown } from '@/format/number'
import { durationOf, endWords } from '@/format/session'
import { formatDuration } from '@/format/time'

const durationWords = {
  daemon: 'the daemon’s own figure',
  times: 'from connect to end',
  at_least: 'at least: until the last proof of life',
  running: 'so far',
} as const

const bytesWords = {
  final: 'the daemon’s final counters',
  last_poll: 'the last reading before the end',
  missing: 'not counted by the daemon',
} as const

export function Overview({ session }: { session: SessionDetail }) {
  const { known_by: known } = session
  return (
    <Facts
      facts={[
        { label: 'VPN user', value: <TextLink to={`/vpn-users/${session.vpn_user_id}`}>{session.common_name}</TextLink> },
        { label: 'VPN server', value: <TextLink to={`/servers/${session.server_key}`}>{session.server_instance}</TextLink> },
        {
          label: `Connected (${known.start.source === 'snapshot' ? 'as a list of sessions says' : 'connect event'})`,
          value: <Time at={session.connected_at} />,
        },
        { label: 'Ended', value: <End session={session} /> },
        { label: `Duration (${durationWords[known.duration]})`, value: <Duration session={session} /> },
        { label: 'Last proof of life', value: <Time at={session.last_seen_at} /> },
        { label: 'From client', value: formatBytes(session.bytes_in) },
        { label: 'To client', value: formatBytes(session.bytes_out) },
        { label: 'Bytes are', value: bytesText(session) },
        { label: 'Session id', value: <Mono text={session.id} copy="the session id" /> },
      ]}
    />
  )
}

/** The end that was reported, or the interval in which it lies: nothing is invented. */
function End({ session }: { session: SessionDetail }) {
  const { end } = session.known_by
  if (!end) return <>not yet</>
  const why = endWords[end.ended_by]
  const isExact = !end.not_after || end.not_after === end.not_before
  return (
    <Box component="span" sx={{ display: 'grid' }}>
      <span>
        {!isExact && 'between '}
        <Time at={end.not_before} relative={isExact ? 'beside' : 'none'} />
        {!isExact && (
          <>
            {' and '}
            <Time at={end.not_after} relative="none" />
          </>
        )}
      </span>
      <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.8125rem' }}>
        {why}
        {session.disconnect_reason && session.disconnect_reason !== end.ended_by && ` (${session.disconnect_reason})`}
        {end.superseded_by && (
          <>
            : <TextLink to={`/sessions/${end.superseded_by}`}>the newer session</TextLink>
          </>
        )}
      </Box>
    </Box>
  )
}

function Duration({ session }: { session: SessionDetail }) {
  const running = useOfNow((now) => formatDuration(durationOf(session, now)))
  return <>{session.session_status === 'active' ? running : formatDuration(session.duration_seconds)}</>
}

function bytesText({ known_by: { bytes }, session_status: status, bytes_in, bytes_out }: SessionDetail) {
  if (status === 'active' && bytes_in == null && bytes_out == null) return 'not counted yet'
  const source = status === 'active' && bytes.source !== 'missing' ? 'counted so far' : bytes.source ? bytesWords[bytes.source] : 'unknown'
  return (
    <>
      {source}
      {bytes.counters_were_reset && ', summed over a reset of the counters'}
      {bytes.as_of && (
        <>
          {', read '}
          <Age at={bytes.as_of} />
        </>
      )}
    </>
  )
}

export function NetworkFacts({ session }: { session: SessionDetail }) {
  const { client } = session
  return (
    <Facts
      facts={[
        { label: 'Virtual address', value: <Address ip={session.virtual_ip} at={session.connected_at} /> },
        { label: 'Virtual IPv6 address', value: <Address ip={session.virtual_ip6} at={session.connected_at} /> },
        { label: 'Real address', value: <Address ip={session.real_ip} at={session.connected_at} /> },
        { label: 'Real port', value: session.real_port ?? unknown },
        { label: 'Username', value: session.username ?? unknown },
        { label: 'Client id (CID)', value: formatCount(session.cid) },
        { label: 'Client', value: [client?.platform, client?.version, client?.gui].filter(Boolean).join(', ') || unknown },
        { label: 'Cipher', value: session.cipher ?? unknown },
      ]}
    />
  )
}

/** An address leads to the question who held it then. */
function Address({ ip, at }: { ip: string | null | undefined; at: string }) {
  if (!ip) return <>{unknown}</>
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1, flexWrap: 'wrap' }}>
      <Mono text={ip} copy="the address" />
      <TextLink to={`/identity?ip=${encodeURIComponent(ip)}&at=${encodeURIComponent(at)}`} variant="caption">
        who held it
      </TextLink>
    </Box>
  )
}
