import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Session } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { ExportMenu } from '@/components/ExportMenu'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { formatCount } from '@/format/number'
import { useLiveStats, useRealtimeState } from '@/realtime/hooks'
import { useDates } from '@/view-state/range'
import { useView } from '@/view-state/url'
import { sessionColumns } from './columns'
import { sessionsQuery } from './queries'
import { SessionFilters } from './SessionFilters'
import { SessionRows } from './SessionRows'
import { TerminateDialog } from './TerminateDialog'
import { exportPath, filterOf, isFiltered, sessionsView } from './view'

const gridHeight = 'calc(100dvh - 268px)'

/** Every session there has been: filtered, ordered and paged by the service, kept fresh by the socket. */
export function SessionsPage() {
  const [view, setView] = useView(sessionsView)
  const dates = useDates(view)
  const filter = useMemo(() => filterOf(view, dates), [view, dates])
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
            <SessionRows
              loaded={{ sessions, loadedAt: query.dataUpdatedAt, filter, view, isOther: query.isPlaceholderData }}
              info={info}
              columns={view.columns}
              isFiltered={isFiltered(view)}
              setView={setView}
              selected={selected.map((session) => session.id)}
              onSelect={mayTerminate ? setSelected : undefined}
            />
          )}
        </QueryState>
      </Panel>
      {terminating && <TerminateDialog sessions={terminating} onClose={() => setTerminating(undefined)} onDone={() => setSelected([])} />}
    </Page>
  )
}

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
