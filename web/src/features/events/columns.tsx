import type { RejectedEvent, UnmatchedEvent } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatCount, unknown } from '@/format/number'

/** `SESSION_DISCONNECTED` as people say it. */
export const eventWords = (type: string) => type.toLowerCase().replaceAll('_', ' ')

type Unmatched = { data: UnmatchedEvent | undefined }
type Rejected = { data: RejectedEvent | undefined }

export const unmatchedColumns: Column<UnmatchedEvent>[] = [
  {
    id: 'event_time',
    headerName: 'At (VPN server’s clock)',
    fixed: true,
    width: 255,
    cellRenderer: ({ data }: Unmatched) => data && <Time at={data.event_time} />,
  },
  { id: 'event_type', headerName: 'Event', width: 190, valueGetter: ({ data }) => eventWords(data?.event_type ?? '') },
  {
    id: 'common_name',
    headerName: 'VPN user',
    flex: 1,
    minWidth: 180,
    cellRenderer: ({ data }: Unmatched) => data && <TextLink to={`/vpn-users/${data.vpn_user_id}`}>{data.common_name}</TextLink>,
  },
  { id: 'server_instance', headerName: 'VPN server', width: 170, valueGetter: ({ data }) => data?.server_instance },
  {
    id: 'received_at',
    headerName: 'Received',
    width: 180,
    cellRenderer: ({ data }: Unmatched) => data && <Time at={data.received_at} relative="none" />,
  },
  { id: 'seq', headerName: 'Number', numeric: true, width: 110, valueGetter: ({ data }) => formatCount(data?.seq) },
  {
    id: 'event_id',
    headerName: 'Event id',
    width: 310,
    optional: true,
    cellClass: 'mono',
    valueGetter: ({ data }) => data?.event_id ?? unknown,
  },
]

export const rejectedColumns: Column<RejectedEvent>[] = [
  {
    id: 'received_at',
    headerName: 'Received',
    fixed: true,
    width: 245,
    cellRenderer: ({ data }: Rejected) => data && <Time at={data.received_at} />,
  },
  { id: 'server_instance', headerName: 'VPN server', width: 160, valueGetter: ({ data }) => data?.server_instance },
  {
    id: 'error',
    headerName: 'Why it was rejected',
    width: 210,
    cellRenderer: ({ data }: Rejected) => data && <ToneChip tone="bad" label={data.error.replaceAll('_', ' ')} />,
  },
  { id: 'detail', headerName: 'In words', flex: 1, minWidth: 220, valueGetter: ({ data }) => data?.detail },
  { id: 'event_id', headerName: 'Event id', width: 310, cellClass: 'mono', valueGetter: ({ data }) => data?.event_id ?? unknown },
  { id: 'request_id', headerName: 'Request', width: 270, optional: true, cellClass: 'mono', valueGetter: ({ data }) => data?.request_id },
]
