import type { Session } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { PlainLink } from '@/components/PlainLink'
import { SessionStatusChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { formatBytes, formatCount, unknown } from '@/format/number'
import { formatDuration } from '@/format/time'
import { endWords } from '@/format/session'

type Cell = { data: Session | undefined }

/** The ids are the names that the API sorts by. A cell with a renderer has a value too: it is drawn anew only when that changes. */
export const sessionColumns: Column<Session>[] = [
  {
    id: 'common_name',
    headerName: 'VPN user',
    fixed: true,
    sortable: true,
    flex: 1.5,
    minWidth: 160,
    valueGetter: ({ data }) => data?.common_name,
    cellRenderer: ({ data }: Cell) =>
      data && (
        <PlainLink strong to={`/sessions/${data.id}`}>
          {data.common_name}
        </PlainLink>
      ),
  },
  {
    id: 'session_status',
    headerName: 'Status',
    sortable: true,
    width: 122,
    valueGetter: ({ data }) => data?.session_status,
    cellRenderer: ({ data }: Cell) => data && <SessionStatusChip status={data.session_status} />,
  },
  {
    id: 'server_instance',
    headerName: 'VPN server',
    sortable: true,
    width: 125,
    valueGetter: ({ data }) => data?.server_instance,
    cellRenderer: ({ data }: Cell) => data && <PlainLink to={`/servers/${data.server_key}`}>{data.server_instance}</PlainLink>,
  },
  {
    id: 'virtual_ip',
    headerName: 'Virtual address',
    sortable: true,
    width: 132,
    cellClass: 'mono',
    valueGetter: ({ data }) => data?.virtual_ip ?? data?.virtual_ip6 ?? unknown,
  },
  {
    id: 'real_ip',
    headerName: 'Real address',
    sortable: true,
    width: 128,
    cellClass: 'mono',
    valueGetter: ({ data }) => data?.real_ip ?? unknown,
  },
  {
    id: 'connected_at',
    headerName: 'Connected',
    sortable: true,
    width: 160,
    valueGetter: ({ data }) => data?.connected_at,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.connected_at} relative="none" />,
  },
  {
    id: 'duration_seconds',
    headerName: 'Duration',
    sortable: true,
    numeric: true,
    width: 102,
    valueGetter: ({ data }) => formatDuration(data?.duration_seconds),
  },
  {
    id: 'bytes_in',
    headerName: 'From client',
    sortable: true,
    numeric: true,
    width: 102,
    valueGetter: ({ data }) => formatBytes(data?.bytes_in),
  },
  {
    id: 'bytes_out',
    headerName: 'To client',
    sortable: true,
    numeric: true,
    width: 98,
    valueGetter: ({ data }) => formatBytes(data?.bytes_out),
  },
  {
    id: 'disconnected_at',
    headerName: 'Ended',
    sortable: true,
    width: 165,
    valueGetter: ({ data }) => data?.disconnected_at,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.disconnected_at} relative="none" />,
  },
  {
    id: 'ended_by',
    headerName: 'Why it ended',
    width: 190,
    valueGetter: ({ data }) => (data?.ended_by ? endWords[data.ended_by] : unknown),
  },
  {
    id: 'disconnect_reason',
    headerName: 'Reason',
    width: 140,
    optional: true,
    valueGetter: ({ data }) => data?.disconnect_reason ?? unknown,
  },
  {
    id: 'last_seen_at',
    headerName: 'Last proof of life',
    sortable: true,
    width: 165,
    optional: true,
    valueGetter: ({ data }) => data?.last_seen_at,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.last_seen_at} relative="none" />,
  },
  {
    id: 'virtual_ip6',
    headerName: 'Virtual IPv6',
    width: 190,
    optional: true,
    cellClass: 'mono',
    valueGetter: ({ data }) => data?.virtual_ip6 ?? unknown,
  },
  { id: 'real_port', headerName: 'Port', numeric: true, width: 85, optional: true, valueGetter: ({ data }) => data?.real_port ?? unknown },
  { id: 'username', headerName: 'Username', width: 130, optional: true, valueGetter: ({ data }) => data?.username ?? unknown },
  { id: 'user_type', headerName: 'Type', width: 105, optional: true, valueGetter: ({ data }) => data?.user_type ?? unknown },
  {
    id: 'client',
    headerName: 'Client',
    width: 140,
    optional: true,
    valueGetter: ({ data }) => [data?.client?.platform, data?.client?.version].filter(Boolean).join(' ') || unknown,
  },
  { id: 'cipher', headerName: 'Cipher', width: 140, optional: true, valueGetter: ({ data }) => data?.cipher ?? unknown },
  { id: 'cid', headerName: 'CID', numeric: true, width: 80, optional: true, valueGetter: ({ data }) => formatCount(data?.cid) },
  { id: 'id', headerName: 'Session id', width: 310, optional: true, cellClass: 'mono', valueGetter: ({ data }) => data?.id ?? unknown },
]
