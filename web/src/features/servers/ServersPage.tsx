import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useNavigate } from 'react-router'
import type { Server } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { ChoicesFilter } from '@/components/filters/ChoiceFilter'
import { FilterBar } from '@/components/filters/FilterBar'
import { TextFilter } from '@/components/filters/TextFilter'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { formatCount } from '@/format/number'
import { list, someOf, text, useView } from '@/view-state/url'
import { serverColumns } from './columns'
import { ServerForm } from './ServerForm'
import { serversQuery } from '@/api/servers'

const statuses = ['healthy', 'degraded', 'silent', 'never_seen', 'retired'] as const
const statusChoices = statuses.map((value) => ({ value, label: value.replace('_', ' ') }))

const serversView = { search: text(), status: someOf(statuses), sort: text('name'), columns: list() }

/** Every VPN server: its health, its load, and what is wrong. */
export function ServersPage() {
  const navigate = useNavigate()
  const isAdmin = usePermission('administer')
  const [view, setView] = useView(serversView)
  const query = useQuery(serversQuery({ search: view.search, status: view.status }))
  const isFiltered = view.search !== '' || view.status.length > 0
  const subtitle = useMemo(() => summary(query.data?.servers), [query.data])
  return (
    <Page title="Servers" subtitle={subtitle} actions={isAdmin && <RegisterServer />}>
      <Panel flush>
        <FilterBar
          onClear={isFiltered ? () => setView({ search: '', status: [] }) : undefined}
          end={<ColumnsMenu columns={serverColumns} chosen={view.columns} onChange={(columns) => setView({ columns })} />}
        >
          <TextFilter label="Name or description" value={view.search} onChange={(search) => setView({ search }, { replace: true })} />
          <ChoicesFilter label="Status" choices={statusChoices} value={view.status} onChange={(status) => setView({ status })} />
        </FilterBar>
        <QueryState query={query} what="the VPN servers" loading={<LoadingBlock height={320} />}>
          {({ servers }) => (
            <DataGrid<Server>
              id="servers"
              label="VPN servers"
              columns={serverColumns}
              rows={servers}
              rowId={(server) => String(server.id)}
              visible={view.columns}
              sort={view.sort}
              onSort={(sort) => setView({ sort })}
              onOpen={(server) => void navigate(`/servers/${server.id}`)}
              height="content"
              isRefreshing={query.isPlaceholderData}
              empty={
                <EmptyState
                  title={isFiltered ? 'No VPN server matches' : 'No VPN server yet'}
                  detail={isFiltered ? 'Change or clear the filters.' : 'A VPN server appears here once an admin has registered it.'}
                />
              }
            />
          )}
        </QueryState>
      </Panel>
    </Page>
  )
}

function summary(servers: Server[] | undefined): string {
  if (!servers) return ' '
  const sessions = servers.reduce((sum, server) => sum + server.active_sessions, 0)
  const troubled = servers.filter((server) => server.status === 'degraded' || server.status === 'silent').length
  const trouble = troubled === 0 ? 'all well' : `${formatCount(troubled)} need attention`
  return `${formatCount(servers.length)} VPN servers, ${formatCount(sessions)} active sessions, ${trouble}`
}

function RegisterServer() {
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button variant="contained" startIcon={<Plus size={15} aria-hidden />} onClick={() => setOpen(true)}>
        Register a VPN server
      </Button>
      {open && <ServerForm onClose={() => setOpen(false)} onSaved={(server) => void navigate(`/servers/${server.id}`)} />}
    </>
  )
}
