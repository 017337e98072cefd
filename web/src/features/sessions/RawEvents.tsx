import Box from '@mui/material/Box'
import type { SessionDetail } from '@/api/types'
import { CopyButton } from '@/components/CopyButton'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { Time } from '@/components/Time'
import { formatCount } from '@/format/number'

type Event = SessionDetail['events'][number]

const columns: SmallColumn<Event>[] = [
  { head: 'Event', cell: (event) => event.event_type.toLowerCase().replaceAll('_', ' ') },
  { head: 'At (VPN server’s clock)', cell: (event) => <Time at={event.event_time} precision="milliseconds" relative="none" /> },
  { head: 'Received', cell: (event) => <Time at={event.received_at} precision="milliseconds" relative="none" /> },
  { head: 'Number', numeric: true, cell: (event) => formatCount(event.seq) },
  { head: 'Event id', cell: (event) => <Mono text={event.event_id.slice(0, 8)} copy="the event’s id" /> },
  {
    head: 'What it says',
    cell: (event) => (
      <Box component="details" sx={{ minWidth: 220 }}>
        <Box component="summary" sx={{ cursor: 'pointer' }}>
          JSON
        </Box>
        <Box component="pre" className="mono" sx={{ m: 0, fontSize: '0.75rem', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {JSON.stringify(event.body, null, 2)}
        </Box>
      </Box>
    ),
  },
]

/** The events as they were accepted. */
export function RawEvents({ session: { events, earlier_events_left_out: leftOut } }: { session: SessionDetail }) {
  return (
    <Panel
      flush
      title="Events"
      note={leftOut ? `the latest ${formatCount(events.length)}; earlier ones are left out` : formatCount(events.length)}
      actions={<CopyButton text={JSON.stringify(events, null, 2)} what="all events as JSON" />}
    >
      {events.length === 0 ? (
        <EmptyState title="No event of its own" detail="A full list of the VPN server’s sessions told of it." />
      ) : (
        <SmallTable label="Events" columns={columns} rows={events} rowKey={(event) => event.event_id} maxHeight={420} />
      )}
    </Panel>
  )
}
