import type { VpnUser } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatCount, unknown } from '@/format/number'
import { CertificateChip } from './CertificateChip'

type Cell = { data: VpnUser | undefined }

export const vpnUserColumns: Column<VpnUser>[] = [
  {
    id: 'common_name',
    headerName: 'VPN user',
    fixed: true,
    sortable: true,
    flex: 1.4,
    minWidth: 170,
    cellRenderer: ({ data }: Cell) =>
      data && (
        <TextLink to={`/vpn-users/${data.id}`} sx={{ fontWeight: 560 }}>
          {data.common_name}
        </TextLink>
      ),
  },
  {
    id: 'full_name',
    headerName: 'Full name',
    sortable: true,
    flex: 1,
    minWidth: 130,
    valueGetter: ({ data }) => data?.full_name ?? unknown,
  },
  { id: 'email', headerName: 'E-mail', sortable: true, flex: 1, minWidth: 150, valueGetter: ({ data }) => data?.email ?? unknown },
  {
    id: 'vpn_status',
    headerName: 'Now',
    width: 110,
    cellRenderer: ({ data }: Cell) =>
      data && (
        <ToneChip tone={data.vpn_status === 'active' ? 'good' : 'neutral'} label={data.vpn_status} dot={data.vpn_status === 'active'} />
      ),
  },
  { id: 'user_type', headerName: 'Type', width: 115, valueGetter: ({ data }) => data?.user_type ?? unknown },
  {
    id: 'business_status',
    headerName: 'Business status',
    width: 140,
    cellRenderer: ({ data }: Cell) =>
      data?.business_status ? (
        <ToneChip
          tone={data.business_status === 'active' ? 'good' : data.business_status === 'suspended' ? 'caution' : 'bad'}
          label={data.business_status}
        />
      ) : (
        unknown
      ),
  },
  {
    id: 'last_vpn_seen_at',
    headerName: 'Last seen',
    sortable: true,
    width: 145,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.last_vpn_seen_at} relative="only" />,
  },
  {
    id: 'cert_expiry_at',
    headerName: 'Certificate',
    sortable: true,
    width: 175,
    cellRenderer: ({ data }: Cell) => data && <CertificateChip user={data} />,
  },
  { id: 'active_sessions', headerName: 'Active', numeric: true, width: 90, valueGetter: ({ data }) => formatCount(data?.active_sessions) },
  { id: 'total_sessions', headerName: 'Sessions', numeric: true, width: 100, valueGetter: ({ data }) => formatCount(data?.total_sessions) },
  { id: 'contact_no', headerName: 'Contact', width: 130, optional: true, valueGetter: ({ data }) => data?.contact_no ?? unknown },
  {
    id: 'created_at',
    headerName: 'First heard of',
    sortable: true,
    width: 165,
    optional: true,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.created_at} relative="none" />,
  },
]
