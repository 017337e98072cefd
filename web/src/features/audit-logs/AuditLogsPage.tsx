import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { AuditEntry } from '@/api/types'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { ChoicesFilter } from '@/components/filters/ChoiceFilter'
import { FilterBar } from '@/components/filters/FilterBar'
import { RangeFilter } from '@/components/filters/RangeFilter'
import { TextFilter } from '@/components/filters/TextFilter'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { preferences } from '@/preferences/preferences'
import { rangeView, useDates } from '@/view-state/range'
import { integer, list, oneOf, someOf, text, useView } from '@/view-state/url'
import { auditColumns } from './columns'
import { EntryDialog } from './EntryDialog'
import { ExportAudit } from './ExportAudit'
import { auditLogsQuery } from './queries'
import { VerifyAudit } from './VerifyAudit'
import { actions, objectTypes, spaced } from './words'

const view = {
  ...rangeView('all'),
  action: someOf(actions),
  object_type: someOf(objectTypes),
  actor: text(),
  object_id: text(),
  ip: text(),
  text: text(),
  sort: oneOf(['-created_at', 'created_at'], '-created_at'),
  page: integer(1),
  per_page: integer(preferences().perPage),
  columns: list(),
}

const noFilter = {
  range: 'all' as const,
  from: undefined,
  to: undefined,
  action: [],
  object_type: [],
  actor: '',
  object_id: '',
  ip: '',
  text: '',
}
const choices = <const T extends string>(values: readonly T[]) => values.map((value) => ({ value, label: spaced(value) }))

/** Who did what, when, from where: append-only, chained and signed. */
export function AuditLogsPage() {
  const [current, setView] = useView(view)
  const [open, setOpen] = useState<AuditEntry>()
  const { range, from, to, action, object_type, actor, object_id, ip, text: words, sort, page, per_page, columns } = current
  const dates = useDates({ range, from, to })
  const filter = {
    ...dates,
    ...(action.length > 0 && { action }),
    ...(object_type.length > 0 && { object_type }),
    ...(actor && { actor }),
    ...(object_id && { object_id }),
    ...(ip && { ip }),
    ...(words && { text: words }),
  }
  const query = useQuery(auditLogsQuery({ ...filter, sort, page, per_page }))
  const isFiltered = Object.keys(filter).length > 0
  return (
    <Page
      fill
      title="Audit log"
      subtitle="Append-only. Every entry is chained to the one before it, and the head is signed."
      actions={
        <>
          <VerifyAudit />
          <ExportAudit filter={filter} />
        </>
      }
    >
      <Panel flush grow>
        <FilterBar
          onClear={isFiltered ? () => setView(noFilter) : undefined}
          end={<ColumnsMenu columns={auditColumns} chosen={columns} onChange={(chosen) => setView({ columns: chosen })} />}
        >
          <RangeFilter label="When" value={{ range, from, to }} onChange={(changed) => setView(changed)} />
          <ChoicesFilter label="Action" choices={choices(actions)} value={action} onChange={(chosen) => setView({ action: chosen })} />
          <ChoicesFilter
            label="Object"
            choices={choices(objectTypes)}
            value={object_type}
            onChange={(chosen) => setView({ object_type: chosen })}
          />
          <TextFilter label="Actor" width={140} value={actor} onChange={(typed) => setView({ actor: typed }, { replace: true })} />
          <TextFilter
            label="Object id"
            width={140}
            value={object_id}
            onChange={(typed) => setView({ object_id: typed }, { replace: true })}
          />
          <TextFilter label="Address or network" width={170} value={ip} onChange={(typed) => setView({ ip: typed }, { replace: true })} />
          <TextFilter label="In the details" width={160} value={words} onChange={(typed) => setView({ text: typed }, { replace: true })} />
        </FilterBar>
        <QueryState query={query} what="the audit log" loading={<LoadingBlock height={400} />}>
          {(data) => (
            <>
              <DataGrid<AuditEntry>
                id="audit-logs"
                label="Audit log"
                columns={auditColumns}
                rows={data.entries}
                rowId={(entry) => String(entry.id)}
                visible={columns}
                sort={sort}
                onSort={(chosen) => setView({ sort: chosen === 'created_at' ? 'created_at' : '-created_at' })}
                onOpen={setOpen}
                isRefreshing={query.isPlaceholderData}
                empty={
                  <EmptyState
                    title={isFiltered ? 'No entry matches' : 'No entry yet'}
                    detail={isFiltered ? 'Change or clear the filters.' : undefined}
                  />
                }
              />
              <Pager
                info={data}
                page={page}
                perPage={per_page}
                shown={data.entries.length}
                noun="entries"
                onPage={(chosen) => setView({ page: chosen })}
                onPerPage={(rows) => setView({ per_page: rows })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      {open && <EntryDialog entry={open} onClose={() => setOpen(undefined)} />}
    </Page>
  )
}
