import Box from '@mui/material/Box'
import type { ServerDetail } from '@/api/types'
import { Facts } from '@/components/Facts'
import { Meter } from '@/components/Meter'
import { Mono } from '@/components/Mono'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatCount, unknown } from '@/format/number'
import { formatSkew, gapsText } from '@/format/server'
import { formatDuration } from '@/format/time'
import { useLiveStats } from '@/realtime/hooks'

const yesNo = (value: boolean | null | undefined) => (value == null ? unknown : value ? 'yes' : 'no')

export function ServerFacts({ server }: { server: ServerDetail }) {
  const { health, gaps } = server
  const stats = useLiveStats()
  const sessions = stats ? (stats.active_sessions_by_server[server.name] ?? 0) : server.active_sessions
  const counted = health.session_count
  return (
    <Facts
      minWidth={250}
      facts={[
        {
          label: 'Active sessions',
          value: (
            <TextLink to={`/sessions?status=active&server_instance=${encodeURIComponent(server.name)}`}>{formatCount(sessions)}</TextLink>
          ),
        },
        { label: 'Counted by the daemon', value: formatCount(counted) },
        { label: 'Last heard', value: <Time at={server.last_heard_at} /> },
        { label: 'Last heartbeat', value: <Time at={health.last_heartbeat_at} /> },
        { label: 'CPU', value: <Bar percent={health.cpu_percent} label="CPU" /> },
        { label: 'Memory', value: <Bar percent={health.memory_percent} label="Memory" /> },
        { label: 'Load (1 min)', value: health.load_1m?.toFixed(2) ?? unknown },
        { label: 'Daemon runs for', value: formatDuration(health.uptime_seconds) },
        { label: 'OpenVPN', value: health.openvpn_version ?? unknown },
        { label: 'Agent', value: health.agent_version ?? unknown },
        { label: 'Data channel offload', value: yesNo(health.dco) },
        { label: 'Several sessions of one name', value: yesNo(server.duplicate_cn) },
        {
          label: 'Its clock against ours',
          value: (
            <Box component="span" sx={{ color: server.clock_is_skewed ? 'ovt.caution' : 'inherit' }}>
              {formatSkew(server.clock_skew_ms)}
            </Box>
          ),
        },
        { label: 'Missing events', value: gaps.ranges === 0 ? 'none' : gapsText(gaps) },
        {
          label: 'Not sent yet by the agent',
          value: health.oldest_unsent_at ? (
            <>
              {formatCount(health.spool_depth)} since <Time at={health.oldest_unsent_at} relative="only" />
            </>
          ) : (
            formatCount(health.spool_depth)
          ),
        },
        { label: 'Latest event', value: <Time at={server.last_event_at} /> },
        { label: 'Registered', value: <Time at={server.created_at} relative="none" /> },
        { label: 'Boot', value: <Mono text={server.boot_id} /> },
      ]}
    />
  )
}

function Bar({ percent, label }: { percent: number | null | undefined; label: string }) {
  return (
    <Box sx={{ maxWidth: 180 }}>
      <Meter percent={percent} label={label} />
    </Box>
  )
}
