import { useQuery } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import type { VpnUser } from '@/api/types'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { ExportMenu } from '@/components/ExportMenu'
import { ChoiceFilter, ChoicesFilter } from '@/components/filters/ChoiceFilter'
import { FilterBar } from '@/components/filters/FilterBar'
import { TextFilter } from '@/components/filters/TextFilter'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { useView } from '@/view-state/url'
import { vpnUserColumns } from './columns'
import { vpnUsersQuery } from './queries'
import { businessStatuses, exportPath, filterOf, noFilter, userTypes, vpnStatuses, vpnUsersView } from './view'

const choices = <T extends string>(values: readonly T[]) => values.map((value) => ({ value, label: value }))
const seenChoices = [
  { value: '24h', label: 'within a day' },
  { value: '7d', label: 'within 7 days' },
  { value: '30d', label: 'within 30 days' },
  { value: 'never', label: 'never' },
] as const
const expiryChoices = [
  { value: '0', label: 'expired' },
  { value: '30', label: 'within 30 days' },
  { value: '90', label: 'within 90 days' },
] as const

/** Everybody with a certificate: the common names that VPN servers have told of. */
export function VpnUsersPage() {
  const navigate = useNavigate()
  const [view, setView] = useView(vpnUsersView)
  const filter = filterOf(view)
  const isFiltered = Object.keys(filter).length > 0
  const query = useQuery(vpnUsersQuery(filter, view))
  const formats = [
    { label: 'CSV, all that match', path: exportPath('csv', filter), fileName: 'vpn-users.csv' },
    { label: 'Excel, all that match', path: exportPath('xlsx', filter), fileName: 'vpn-users.xlsx' },
  ]
  return (
    <Page
      fill
      title="VPN users"
      subtitle="A VPN user is a certificate’s common name; it comes into being by its first event"
      actions={<ExportMenu formats={formats} />}
    >
      <Panel flush grow>
        <FilterBar
          onClear={isFiltered ? () => setView(noFilter) : undefined}
          end={<ColumnsMenu columns={vpnUserColumns} chosen={view.columns} onChange={(columns) => setView({ columns, page: view.page })} />}
        >
          <TextFilter label="Name or e-mail" value={view.search} onChange={(search) => setView({ search }, { replace: true })} />
          <ChoiceFilter
            label="Now"
            choices={choices(vpnStatuses)}
            value={view.vpn_status}
            onChange={(vpn_status) => setView({ vpn_status })}
            width={120}
          />
          <ChoicesFilter
            label="Type"
            choices={choices(userTypes)}
            value={view.user_type}
            onChange={(user_type) => setView({ user_type })}
            width={140}
          />
          <ChoicesFilter
            label="Business status"
            choices={choices(businessStatuses)}
            value={view.business_status}
            onChange={(business_status) => setView({ business_status })}
            width={150}
          />
          <ChoiceFilter
            label="Last seen"
            choices={[...seenChoices]}
            value={view.last_seen}
            onChange={(last_seen) => setView({ last_seen })}
          />
          <ChoiceFilter
            label="Certificate expires"
            choices={[...expiryChoices]}
            value={view.cert_expires_within_days}
            onChange={(cert_expires_within_days) => setView({ cert_expires_within_days })}
          />
        </FilterBar>
        <QueryState query={query} what="the VPN users" loading={<LoadingBlock height="calc(100dvh - 268px)" />}>
          {({ users, ...info }) => (
            <>
              <DataGrid<VpnUser>
                id="vpn-users"
                label="VPN users"
                columns={vpnUserColumns}
                rows={users}
                rowId={(user) => String(user.id)}
                visible={view.columns}
                sort={view.sort}
                onSort={(sort) => setView({ sort: sort || 'common_name' })}
                onOpen={(user) => void navigate(`/vpn-users/${user.id}`)}
                isRefreshing={query.isPlaceholderData}
                empty={
                  <EmptyState
                    title={isFiltered ? 'No VPN user matches' : 'No VPN user yet'}
                    detail={isFiltered ? 'Change or clear the filters.' : 'VPN users appear here with their first session.'}
                  />
                }
              />
              <Pager
                info={info}
                page={view.page}
                perPage={view.per_page}
                shown={users.length}
                noun="VPN users"
                onPage={(page) => setView({ page })}
                onPerPage={(per_page) => setView({ per_page })}
              />
            </>
          )}
        </QueryState>
      </Panel>
    </Page>
  )
}
