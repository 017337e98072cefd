import type { Gap, ServerDetail } from '@/api/types'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { Time } from '@/components/Time'
import { formatCount } from '@/format/number'
import { CircleCheck } from 'lucide-react'

const columns: SmallColumn<Gap>[] = [
  { head: 'After', cell: (gap) => (gap.after_time ? <Time at={gap.after_time} relative="none" /> : 'the boot’s beginning') },
  { head: 'Before', cell: (gap) => <Time at={gap.before_time} relative="none" /> },
  { head: 'Events', numeric: true, cell: (gap) => formatCount(gap.missing_events) },
  { head: 'Numbers', numeric: true, cell: (gap) => (gap.from_seq === gap.to_seq ? gap.from_seq : `${gap.from_seq}–${gap.to_seq}`) },
]

/** Events that the agent numbered but that never arrived. Late ones close their gap. */
export function Gaps({ server }: { server: ServerDetail }) {
  const { gap_list: gaps, gaps: summary } = server
  return (
    <Panel
      flush
      title="Missing events"
      note={gaps.length < summary.ranges ? `the latest ${gaps.length} of ${formatCount(summary.ranges)} gaps` : undefined}
    >
      {gaps.length === 0 ? (
        <EmptyState icon={CircleCheck} title="Nothing is missing" detail="Every event that its agent numbered has arrived." />
      ) : (
        <SmallTable
          label="Missing events"
          columns={columns}
          rows={gaps}
          rowKey={(gap) => `${gap.boot_id}-${gap.from_seq}`}
          maxHeight={360}
        />
      )}
    </Panel>
  )
}
