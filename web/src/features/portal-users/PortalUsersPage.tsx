import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { Link, useNavigate } from 'react-router'
import type { PortalAccount } from '@/api/types'
import { roles } from '@/auth/roles'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { ChoiceFilter } from '@/components/filters/ChoiceFilter'
import { FilterBar } from '@/components/filters/FilterBar'
import { TextFilter } from '@/components/filters/TextFilter'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { preferences } from '@/preferences/preferences'
import { integer, list, oneOf, optionalOneOf, text, useView } from '@/view-state/url'
import { portalUserColumns } from './columns'
import { portalUsersQuery } from './queries'
import { RoleDemands } from './RoleDemands'

const sorts = [
  'username',
  '-username',
  'email',
  '-email',
  'last_portal_login_at',
  '-last_portal_login_at',
  'created_at',
  '-created_at',
] as const
const statuses = ['active', 'inactive'] as const

const view = {
  search: text(),
  role: optionalOneOf(roles),
  status: optionalOneOf(statuses),
  sort: oneOf(sorts, 'username'),
  page: integer(1),
  per_page: integer(preferences().perPage),
  columns: list(),
}

/** Those who may sign in here. */
export function PortalUsersPage() {
  const navigate = useNavigate()
  const [{ search, role, status, sort, page, per_page, columns }, setView] = useView(view)
  const query = useQuery(
    portalUsersQuery({ sort, page, per_page, ...(search && { search }), ...(role && { role }), ...(status && { status }) }),
  )
  const isFiltered = Boolean(search || role || status)
  return (
    <Page
      title="Portal users"
      actions={
        <Button component={Link} to="/portal-users/new" variant="contained" startIcon={<Plus size={15} aria-hidden />}>
          New portal user
        </Button>
      }
    >
      <Panel flush>
        <FilterBar
          onClear={isFiltered ? () => setView({ search: '', role: undefined, status: undefined }) : undefined}
          end={<ColumnsMenu columns={portalUserColumns} chosen={columns} onChange={(chosen) => setView({ columns: chosen })} />}
        >
          <TextFilter label="Username or e-mail" value={search} onChange={(typed) => setView({ search: typed }, { replace: true })} />
          <ChoiceFilter
            label="Role"
            choices={roles.map((value) => ({ value, label: value }))}
            value={role}
            onChange={(chosen) => setView({ role: chosen })}
          />
          <ChoiceFilter
            label="Status"
            choices={statuses.map((value) => ({ value, label: value }))}
            value={status}
            onChange={(chosen) => setView({ status: chosen })}
          />
        </FilterBar>
        <QueryState query={query} what="the portal users" loading={<LoadingBlock height={320} />}>
          {(data) => (
            <>
              <DataGrid<PortalAccount>
                id="portal-users"
                label="Portal users"
                columns={portalUserColumns}
                rows={data.users}
                rowId={(user) => String(user.id)}
                visible={columns}
                sort={sort}
                onSort={(chosen) => setView({ sort: sorts.find((one) => one === chosen) ?? 'username' })}
                onOpen={(user) => void navigate(`/portal-users/${user.id}`)}
                height={data.users.length > 12 ? undefined : 'content'}
                isRefreshing={query.isPlaceholderData}
                empty={<EmptyState title="No portal user matches" detail="Change or clear the filters." />}
              />
              <Pager
                info={data}
                page={page}
                perPage={per_page}
                shown={data.users.length}
                noun="portal users"
                onPage={(to) => setView({ page: to })}
                onPerPage={(rows) => setView({ per_page: rows })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      <RoleDemands />
    </Page>
  )
}
