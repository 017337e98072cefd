import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import { Clock, Unplug } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import { Link } from 'react-router'
import { serversQuery } from '@/api/servers'
import type { Server, ServerStatus } from '@/api/types'
import { Meter } from '@/components/Meter'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ServerStatusChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatCount } from '@/format/number'
import { formatSkew } from '@/format/server'
import { useLiveStats } from '@/realtime/hooks'

const listHeight = 344

/** What needs somebody comes first. */
const urgency: Record<ServerStatus, number> = { silent: 0, degraded: 1, healthy: 2, never_seen: 3, retired: 4 }

function inOrder(servers: Server[]): Server[] {
  return servers
    .filter((server) => server.status !== 'retired')
    .toSorted((a, b) => urgency[a.status] - urgency[b.status] || a.name.localeCompare(b.name, 'en', { numeric: true }))
}

export function ServerGrid() {
  const query = useQuery(serversQuery({ search: '', status: [] }))
  const stats = useLiveStats()
  return (
    <Panel
      title="VPN servers"
      actions={
        <TextLink to="/servers" variant="body2">
          All servers
        </TextLink>
      }
    >
      <QueryState query={query} what="the VPN servers" loading={<LoadingBlock height={listHeight} />}>
        {({ servers }) =>
          servers.length === 0 ? (
            <EmptyState title="No VPN server yet" detail="A VPN server appears here once an admin has registered it." />
          ) : (
            <Box
              component="ul"
              sx={{
                listStyle: 'none',
                m: 0,
                p: 0,
                display: 'grid',
                gap: 1.25,
                gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 208px), 1fr))',
                // As high as the feed beside it, from the beginning: a large fleet scrolls, what needs somebody is on top.
                height: { lg: listHeight },
                alignContent: 'start',
                overflowY: 'auto',
              }}
            >
              {inOrder(servers).map((server) => (
                <ServerCard
                  key={server.id}
                  server={server}
                  sessions={stats ? (stats.active_sessions_by_server[server.name] ?? 0) : server.active_sessions}
                />
              ))}
            </Box>
          )
        }
      </QueryState>
    </Panel>
  )
}

const ServerCard = memo(function ServerCard({ server, sessions }: { server: Server; sessions: number }) {
  const { health, gaps } = server
  return (
    <Box
      component="li"
      sx={{ border: '1px solid', borderColor: 'divider', borderRadius: 1, p: 1.25, display: 'grid', gap: 0.75, minWidth: 0 }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, minWidth: 0 }}>
        <TextLink
          to={`/servers/${server.id}`}
          sx={{ fontWeight: 600, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', flex: 1 }}
        >
          {server.name}
        </TextLink>
        <ServerStatusChip status={server.status} />
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'baseline', gap: 0.75 }}>
        <Box
          component={Link}
          to={`/sessions?status=active&server_instance=${encodeURIComponent(server.name)}`}
          className="tabular"
          sx={{
            color: 'inherit',
            textDecoration: 'none',
            '&:hover': { textDecoration: 'underline' },
            display: 'inline-flex',
            alignItems: 'baseline',
            gap: 0.75,
          }}
        >
          <Box component="span" sx={{ fontSize: '1.25rem', fontWeight: 640, lineHeight: 1.2 }}>
            {formatCount(sessions)}
          </Box>
          <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>
            sessions
          </Box>
        </Box>
        <Box component="span" sx={{ ml: 'auto', color: 'text.secondary', fontSize: '0.75rem' }}>
          <Time at={server.last_heard_at} relative="only" />
        </Box>
      </Box>
      <Load label="CPU" percent={health.cpu_percent} />
      <Load label="Memory" percent={health.memory_percent} />
      <Box sx={{ display: 'flex', gap: 1.5, fontSize: '0.75rem', color: 'text.secondary' }}>
        <Flag icon={Unplug} flagged={gaps.missing_events > 0} label="Missing events">
          {gaps.missing_events === 0 ? 'no gaps' : `${formatCount(gaps.missing_events)} missing`}
        </Flag>
        <Flag icon={Clock} flagged={server.clock_is_skewed} label="Clock skew">
          {formatSkew(server.clock_skew_ms)}
        </Flag>
      </Box>
    </Box>
  )
})

function Load({ label, percent }: { label: string; percent: number | null | undefined }) {
  return (
    <Box sx={{ display: 'grid', gridTemplateColumns: '52px 1fr', alignItems: 'center', fontSize: '0.75rem' }}>
      <Box component="span" sx={{ color: 'text.secondary' }}>
        {label}
      </Box>
      <Meter percent={percent} label={label} />
    </Box>
  )
}

interface FlagProps {
  icon: typeof Clock
  flagged: boolean
  label: string
  children: ReactNode
}

function Flag({ icon: Icon, flagged, label, children }: FlagProps) {
  return (
    <Box
      component="span"
      title={label}
      className="tabular"
      sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.5, color: flagged ? 'ovt.caution' : 'inherit', whiteSpace: 'nowrap' }}
    >
      <Icon size={13} aria-hidden />
      {children}
    </Box>
  )
}
