import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { Session } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { ExportMenu } from '@/components/ExportMenu'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { formatCount } from '@/format/number'
import { useLiveRows, useLiveStats, useRealtimeState } from '@/realtime/hooks'
import { useDates } from '@/view-state/range'
import { useView } from '@/view-state/url'
import { sessionColumns } from './columns'
import { sessionsQuery } from './queries'
import { SessionFilters } from './SessionFilters'
import { TerminateDialog } from './TerminateDialog'
import { exportPath, filterOf, isFiltered, sessionsView } from './view'

const gridHeight = 'calc(100dvh - 268px)'

/** Every session there has been: filtered, ordered and paged by the service, kept fresh by the socket. */
export function SessionsPage() {
  const [view, setView] = useView(sessionsView)
  const dates = useDates(view)
  const filter = filterOf(view, dates)
  const query = useQuery(sessionsQuery(filter, view))
  const [selected, setSelected] = useState<Session[]>([])
  const mayTerminate = usePermission('terminateSessions')
  const [terminating, setTerminating] = useState<Session[]>()
  const formats = [
    { label: 'CSV, all that match', path: exportPath('csv', filter, view.sort), fileName: 'sessions.csv' },
    { label: 'Excel, all that match', path: exportPath('xlsx', filter, view.sort), fileName: 'sessions.xlsx' },
  ]
  return (
    <Page
      fill
      title="Sessions"
      subtitle={<LiveNote />}
      actions={
        <>
          {mayTerminate && selected.length > 0 && (
            <Button color="error" variant="outlined" onClick={() => setTerminating(selected)}>
              Terminate {formatCount(selected.length)}
            </Button>
          )}
          <ExportMenu formats={formats} />
        </>
      }
    >
      <Panel flush grow>
        <SessionFilters
          view={view}
          setView={setView}
          end={<ColumnsMenu columns={sessionColumns} chosen={view.columns} onChange={(columns) => setView({ columns, page: view.page })} />}
        />
        <QueryState query={query} what="the sessions" loading={<LoadingBlock height={gridHeight} />}>
          {({ sessions, ...info }) => (
            <>
              <SessionGrid
                sessions={sessions}
                view={view}
                isFiltered={isFiltered(view)}
                isRefreshing={query.isPlaceholderData}
                onSort={(sort) => setView({ sort })}
                selected={selected.map((session) => session.id)}
                onSelect={mayTerminate ? (ids) => setSelected(sessions.filter((session) => ids.includes(session.id))) : undefined}
              />
              <Pager
                info={info}
                page={view.page}
                perPage={view.per_page}
                shown={sessions.length}
                noun="sessions"
                onPage={(page) => setView({ page })}
                onPerPage={(per_page) => setView({ per_page })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      {terminating && <TerminateDialog sessions={terminating} onClose={() => setTerminating(undefined)} onDone={() => setSelected([])} />}
    </Page>
  )
}

interface SessionGridProps {
  sessions: Session[]
  view: { columns: string[]; sort: string }
  isFiltered: boolean
  isRefreshing: boolean
  onSort: (sort: string) => void
  selected: string[]
  onSelect: ((ids: string[]) => void) | undefined
}

function SessionGrid({ sessions, view, isFiltered, isRefreshing, onSort, selected, onSelect }: SessionGridProps) {
  const navigate = useNavigate()
  const rows = useLiveRows(sessions)
  return (
    <DataGrid<Session>
      id="sessions"
      label="Sessions"
      columns={sessionColumns}
      rows={rows}
      rowId={(session) => session.id}
      visible={view.columns}
      sort={view.sort}
      onSort={onSort}
      onOpen={(session) => void navigate(`/sessions/${session.id}`)}
      {...(onSelect && { selected, onSelect, isSelectable: isActive })}
      isRefreshing={isRefreshing}
      empty={
        <EmptyState
          title={isFiltered ? 'No session matches' : 'No session yet'}
          detail={isFiltered ? 'Change or clear the filters.' : 'Sessions appear here as soon as an agent reports one.'}
        />
      }
    />
  )
}

const isActive = (session: Session) => session.session_status === 'active'

function LiveNote() {
  const stats = useLiveStats()
  const state = useRealtimeState()
  const isLive = state.kind === 'live'
  const text = stats ? `${formatCount(stats.active_sessions)} active now` : 'active sessions are loading'
  return (
    <>
      <ToneChip tone={isLive ? 'good' : 'neutral'} label={isLive ? 'live' : 'not live'} dot={isLive ? 'pulse' : true} /> {text}
    </>
  )
}
