import type { PortalAccount } from '@/api/types'
import type { Column } from '@/components/data-grid/columns'
import { RoleChips } from '@/components/RoleChips'
import { ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'

type Cell = { data: PortalAccount | undefined }

export const portalUserColumns: Column<PortalAccount>[] = [
  {
    id: 'username',
    headerName: 'Username',
    fixed: true,
    sortable: true,
    flex: 1,
    minWidth: 140,
    cellRenderer: ({ data }: Cell) =>
      data && (
        <TextLink to={`/portal-users/${data.id}`} sx={{ fontWeight: 560 }}>
          {data.username}
        </TextLink>
      ),
  },
  { id: 'email', headerName: 'E-mail', sortable: true, flex: 1.4, minWidth: 170, valueGetter: ({ data }) => data?.email ?? unknown },
  {
    id: 'roles',
    headerName: 'Roles',
    flex: 1.2,
    minWidth: 170,
    cellRenderer: ({ data }: Cell) => data && <RoleChips roles={data.roles} />,
  },
  {
    id: 'is_active',
    headerName: 'Status',
    width: 110,
    cellRenderer: ({ data }: Cell) =>
      data && <ToneChip tone={data.is_active ? 'good' : 'neutral'} label={data.is_active ? 'active' : 'inactive'} dot={data.is_active} />,
  },
  { id: 'totp_enabled', headerName: 'Two-factor', width: 110, valueGetter: ({ data }) => (data?.totp_enabled ? 'on' : 'off') },
  {
    id: 'last_portal_login_at',
    headerName: 'Last sign-in',
    sortable: true,
    width: 250,
    cellRenderer: ({ data }: Cell) => data && (data.last_portal_login_at ? <Time at={data.last_portal_login_at} /> : 'never'),
  },
  {
    id: 'created_at',
    headerName: 'Created',
    sortable: true,
    width: 170,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.created_at} relative="none" />,
  },
  {
    id: 'password_changed_at',
    headerName: 'Password changed',
    optional: true,
    width: 250,
    cellRenderer: ({ data }: Cell) => data && <Time at={data.password_changed_at} />,
  },
]
