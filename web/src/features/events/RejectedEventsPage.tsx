import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { RejectedEvent } from '@/api/types'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { FilterBar } from '@/components/filters/FilterBar'
import { ServersFilter } from '@/components/filters/ServersFilter'
import { TextFilter } from '@/components/filters/TextFilter'
import { Mono } from '@/components/Mono'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { preferences } from '@/preferences/preferences'
import { integer, list, text, useView } from '@/view-state/url'
import { rejectedColumns } from './columns'
import { EventDialog, parsedOrText } from './EventDialog'
import { rejectedEventsQuery } from './queries'

const view = { server_instance: list(), error: text(), page: integer(1), per_page: integer(preferences().perPage), columns: list() }

/** What agents sent and was not accepted, with the reason: dead letters. The good events beside them went through. */
export function RejectedEventsPage() {
  const [{ server_instance, error, page, per_page, columns }, setView] = useView(view)
  const [open, setOpen] = useState<RejectedEvent>()
  const filter = { ...(server_instance.length > 0 && { server_instance }), ...(error && { error }) }
  const isFiltered = Object.keys(filter).length > 0
  const query = useQuery(rejectedEventsQuery({ ...filter, page, per_page }))
  return (
    <Page fill title="Rejected events" subtitle="Agents were told the same reasons. The events beside these were accepted.">
      <Panel flush grow>
        <FilterBar
          onClear={isFiltered ? () => setView({ server_instance: [], error: '' }) : undefined}
          end={<ColumnsMenu columns={rejectedColumns} chosen={columns} onChange={(chosen) => setView({ columns: chosen })} />}
        >
          <ServersFilter value={server_instance} onChange={(names) => setView({ server_instance: names })} />
          <TextFilter
            label="Error code"
            placeholder="invalid_real_ip"
            value={error}
            onChange={(typed) => setView({ error: typed.trim().replaceAll(' ', '_') }, { replace: true })}
          />
        </FilterBar>
        <QueryState query={query} what="the rejected events" loading={<LoadingBlock height={400} />}>
          {(data) => (
            <>
              <DataGrid<RejectedEvent>
                id="rejected-events"
                label="Rejected events"
                columns={rejectedColumns}
                rows={data.events}
                rowId={(event) => event.id}
                visible={columns}
                onOpen={setOpen}
                isRefreshing={query.isPlaceholderData}
                empty={
                  <EmptyState
                    title={isFiltered ? 'No rejected event matches' : 'No event was rejected'}
                    detail={isFiltered ? 'Change or clear the filters.' : 'Every event that agents sent was accepted.'}
                  />
                }
              />
              <Pager
                info={data}
                page={page}
                perPage={per_page}
                shown={data.events.length}
                noun="rejected events"
                onPage={(to) => setView({ page: to })}
                onPerPage={(rows) => setView({ per_page: rows })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      {open && (
        <EventDialog
          title={`Rejected: ${open.error.replaceAll('_', ' ')}`}
          facts={[
            { label: 'VPN server', value: open.server_instance },
            { label: 'Received', value: <Time at={open.received_at} precision="milliseconds" /> },
            { label: 'Why', value: open.detail },
            { label: 'Event id', value: <Mono text={open.event_id} copy="the event’s id" /> },
            { label: 'Request', value: <Mono text={open.request_id} copy="the request’s id" /> },
          ]}
          event={parsedOrText(open.event_json)}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Page>
  )
}
