import Button from '@mui/material/Button'
import { ArrowUp } from 'lucide-react'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import type { PageInfo, Session } from '@/api/types'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { HoldStill } from '@/components/HoldStill'
import { EmptyState } from '@/components/states/EmptyState'
import { formatCount } from '@/format/number'
import type { SetView } from '@/view-state/url'
import { sessionColumns } from './columns'
import { useLivePage } from './useLivePage'
import type { sessionsView } from './view'

interface SessionRowsProps {
  loaded: Parameters<typeof useLivePage>[0]
  info: PageInfo
  columns: string[]
  isFiltered: boolean
  setView: SetView<typeof sessionsView>
  selected: string[]
  onSelect: ((sessions: Session[]) => void) | undefined
}

/** A page of sessions that lives: who comes is on top at once, or waits while somebody points at a row. */
export function SessionRows({ loaded, info, columns, isFiltered, setView, selected, onSelect }: SessionRowsProps) {
  const navigate = useNavigate()
  const container = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState(false)
  const { rows, come, waiting, show } = useLivePage(loaded, held || selected.length > 0)
  const { sort, page, per_page } = loaded.view
  const toTop = () => container.current?.querySelector('.ag-body-viewport')?.scrollTo({ top: 0 })
  return (
    <>
      <HoldStill ref={container} onHold={setHeld}>
        {waiting > 0 && <Waiting count={waiting} onShow={() => (show(), toTop())} />}
        <DataGrid<Session>
          id="sessions"
          label="Sessions"
          columns={sessionColumns}
          rows={rows}
          rowId={(session) => session.id}
          visible={columns}
          sort={sort}
          onSort={(sort) => setView({ sort })}
          onOpen={(session) => void navigate(`/sessions/${session.id}`)}
          {...(onSelect && {
            selected,
            onSelect: (ids: string[]) => onSelect(rows.filter((session) => ids.includes(session.id))),
            isSelectable: isActive,
          })}
          isRefreshing={loaded.isOther}
          empty={
            <EmptyState
              title={isFiltered ? 'No session matches' : 'No session yet'}
              detail={isFiltered ? 'Change or clear the filters.' : 'Sessions appear here as soon as an agent reports one.'}
            />
          }
        />
      </HoldStill>
      <Pager
        info={{ ...info, total: info.total + come }}
        page={page}
        perPage={per_page}
        shown={rows.length}
        noun="sessions"
        onPage={(page) => setView({ page })}
        onPerPage={(per_page) => setView({ per_page })}
      />
    </>
  )
}

const isActive = (session: Session) => session.session_status === 'active'

/** Over the first row, so that nothing moves because of it. */
function Waiting({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <Button
      size="small"
      variant="contained"
      startIcon={<ArrowUp size={14} />}
      onClick={onShow}
      sx={{ position: 'absolute', zIndex: 2, top: 44, left: '50%', transform: 'translateX(-50%)', borderRadius: 8 }}
    >
      {formatCount(count)} new {count === 1 ? 'session' : 'sessions'}: show
    </Button>
  )
}
