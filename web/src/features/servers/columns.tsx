import type { Server } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { Meter } from '@/components/Meter'
import { ServerStatusChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatCount } from '@/format/number'
import { formatDuration } from '@/format/time'
import { formatSkew, troubleText } from '@/format/server'

type Cell = { data: Server | undefined }

const number = (value: number | null | undefined) => value ?? -1
const instant = (value: string | null | undefined) => (value ? Date.parse(value) : 0)

export const serverColumns: Column<Server>[] = [
  {
    id: 'name',
    headerName: 'VPN server',
    fixed: true,
    sortable: true,
    flex: 1.4,
    minWidth: 150,
    compare: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
    cellRenderer: ({ data }: Cell) =>
      data && (
        <TextLink to={`/servers/${data.id}`} sx={{ fontWeight: 560 }}>
          {data.name}
        </TextLink>
      ),
  },
  {
    id: 'status',
    headerName: 'Status',
    sortable: true,
    width: 130,
    compare: (a, b) => a.status.localeCompare(b.status),
    cellRenderer: ({ data }: Cell) => data && <ServerStatusChip status={data.status} />,
  },
  {
    id: 'troubles',
    headerName: 'What is wrong',
    flex: 1.3,
    minWidth: 140,
    valueGetter: ({ data }) => data?.troubles.map(troubleText).join(', ') || '–',
    tooltipValueGetter: ({ value }) => String(value),
  },
  {
    id: 'active_sessions',
    headerName: 'Active sessions',
    numeric: true,
    sortable: true,
    width: 130,
    compare: (a, b) => a.active_sessions - b.active_sessions,
    valueGetter: ({ data }) => formatCount(data?.active_sessions),
  },
  {
    id: 'cpu',
    headerName: 'CPU',
    sortable: true,
    width: 120,
    compare: (a, b) => number(a.health.cpu_percent) - number(b.health.cpu_percent),
    cellRenderer: ({ data }: Cell) => data && <Meter percent={data.health.cpu_percent} label="CPU" />,
  },
  {
    id: 'memory',
    headerName: 'Memory',
    sortable: true,
    width: 120,
    compare: (a, b) => number(a.health.memory_percent) - number(b.health.memory_percent),
    cellRenderer: ({ data }: Cell) => data && <Meter percent={data.health.memory_percent} label="Memory" />,
  },
  {
    id: 'last_heard_at',
    headerName: 'Last heard',
    sortable: true,
    width: 130,
    compare: (a, b) => instant(a.last_heard_at) - instant(b.last_heard_at),
    cellRenderer: ({ data }: Cell) => data && <Time at={data.last_heard_at} relative="only" />,
  },
  {
    id: 'gaps',
    headerName: 'Missing events',
    numeric: true,
    sortable: true,
    width: 135,
    compare: (a, b) => a.gaps.missing_events - b.gaps.missing_events,
    valueGetter: ({ data }) => formatCount(data?.gaps.missing_events),
  },
  {
    id: 'skew',
    headerName: 'Clock',
    numeric: true,
    sortable: true,
    width: 110,
    compare: (a, b) => Math.abs(a.clock_skew_ms ?? 0) - Math.abs(b.clock_skew_ms ?? 0),
    valueGetter: ({ data }) => formatSkew(data?.clock_skew_ms),
  },
  { id: 'openvpn_version', headerName: 'OpenVPN', width: 110, valueGetter: ({ data }) => data?.health.openvpn_version ?? '–' },
  { id: 'agent_version', headerName: 'Agent', width: 100, optional: true, valueGetter: ({ data }) => data?.health.agent_version ?? '–' },
  {
    id: 'load',
    headerName: 'Load (1 min)',
    numeric: true,
    width: 110,
    optional: true,
    valueGetter: ({ data }) => data?.health.load_1m?.toFixed(2) ?? '–',
  },
  {
    id: 'uptime',
    headerName: 'Uptime',
    numeric: true,
    width: 120,
    optional: true,
    valueGetter: ({ data }) => formatDuration(data?.health.uptime_seconds),
  },
  {
    id: 'spool',
    headerName: 'Unsent events',
    numeric: true,
    width: 125,
    optional: true,
    valueGetter: ({ data }) => formatCount(data?.health.spool_depth),
  },
  {
    id: 'description',
    headerName: 'Description',
    flex: 1,
    minWidth: 140,
    optional: true,
    valueGetter: ({ data }) => data?.description || '–',
  },
]
