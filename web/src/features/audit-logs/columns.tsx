import type { AuditEntry } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { ToneChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'
import { spaced, toneOf } from './words'

type Cell = { data: AuditEntry | undefined }

export const auditColumns: Column<AuditEntry>[] = [
  {
    id: 'created_at',
    headerName: 'When',
    fixed: true,
    sortable: true,
    width: 245,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.created_at} />,
  },
  { id: 'actor', headerName: 'Actor', width: 140, valueGetter: ({ data }) => data?.actor_name },
  {
    id: 'action',
    headerName: 'Action',
    width: 155,
    cellRenderer: ({ data }: Cell) => data && <ToneChip tone={toneOf(data.action)} label={spaced(data.action)} />,
  },
  { id: 'object_type', headerName: 'Object', width: 130, valueGetter: ({ data }) => spaced(data?.object_type ?? '') },
  { id: 'object_id', headerName: 'Object id', width: 130, cellClass: 'mono', valueGetter: ({ data }) => data?.object_id ?? unknown },
  { id: 'ip_address', headerName: 'Address', width: 140, cellClass: 'mono', valueGetter: ({ data }) => data?.ip_address ?? unknown },
  {
    id: 'details',
    headerName: 'Details',
    flex: 1,
    minWidth: 200,
    valueGetter: ({ data }) => (data?.details ? JSON.stringify(data.details) : unknown),
  },
  { id: 'id', headerName: 'No.', numeric: true, width: 90, optional: true, valueGetter: ({ data }) => data?.id },
  {
    id: 'request_id',
    headerName: 'Request',
    width: 200,
    optional: true,
    cellClass: 'mono',
    valueGetter: ({ data }) => data?.request_id ?? unknown,
  },
]
