import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { UnmatchedEvent } from '@/api/types'
import { ColumnsMenu } from '@/components/data-grid/ColumnsMenu'
import { DataGrid } from '@/components/data-grid/DataGrid'
import { Pager } from '@/components/data-grid/Pager'
import { FilterBar } from '@/components/filters/FilterBar'
import { ServersFilter } from '@/components/filters/ServersFilter'
import { Mono } from '@/components/Mono'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { preferences } from '@/preferences/preferences'
import { integer, list, useView } from '@/view-state/url'
import { eventWords, unmatchedColumns } from './columns'
import { EventDialog } from './EventDialog'
import { unmatchedEventsQuery } from './queries'

const view = { server_instance: list(), page: integer(1), per_page: integer(preferences().perPage), columns: list() }

/** Events of sessions that nobody has opened: accepted, kept, and waiting for their connect. */
export function UnmatchedEventsPage() {
  const [{ server_instance, page, per_page, columns }, setView] = useView(view)
  const [open, setOpen] = useState<UnmatchedEvent>()
  const isFiltered = server_instance.length > 0
  const query = useQuery(unmatchedEventsQuery({ page, per_page, ...(isFiltered && { server_instance }) }))
  return (
    <Page
      fill
      title="Unmatched events"
      subtitle="They name a session that has not been reported yet. Once its connect arrives, they count."
    >
      <Panel flush grow>
        <FilterBar
          onClear={isFiltered ? () => setView({ server_instance: [] }) : undefined}
          end={<ColumnsMenu columns={unmatchedColumns} chosen={columns} onChange={(chosen) => setView({ columns: chosen })} />}
        >
          <ServersFilter value={server_instance} onChange={(names) => setView({ server_instance: names })} />
        </FilterBar>
        <QueryState query={query} what="the unmatched events" loading={<LoadingBlock height={400} />}>
          {(data) => (
            <>
              <DataGrid<UnmatchedEvent>
                id="unmatched-events"
                label="Unmatched events"
                columns={unmatchedColumns}
                rows={data.events}
                rowId={(event) => event.event_id}
                visible={columns}
                onOpen={setOpen}
                isRefreshing={query.isPlaceholderData}
                empty={<EmptyState title="No event waits for its session" detail={isFiltered ? 'On these VPN servers.' : undefined} />}
              />
              <Pager
                info={data}
                page={page}
                perPage={per_page}
                shown={data.events.length}
                noun="unmatched events"
                onPage={(to) => setView({ page: to })}
                onPerPage={(rows) => setView({ per_page: rows })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      {open && (
        <EventDialog
          title={`${eventWords(open.event_type)} of ${open.common_name}`}
          facts={[
            { label: 'VPN server', value: open.server_instance },
            { label: 'At (VPN server’s clock)', value: <Time at={open.event_time} precision="milliseconds" /> },
            { label: 'Received', value: <Time at={open.received_at} precision="milliseconds" /> },
            { label: 'Event id', value: <Mono text={open.event_id} copy="the event’s id" /> },
            { label: 'Boot', value: <Mono text={open.boot_id} /> },
          ]}
          event={open.body}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Page>
  )
}
