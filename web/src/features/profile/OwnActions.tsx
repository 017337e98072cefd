import { useQuery } from '@tanstack/react-query'
import type { OwnAuditEntry } from '@/api/types'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { ownAuditQuery } from './queries'

const columns: SmallColumn<OwnAuditEntry>[] = [
  { head: 'When', cell: (entry) => <Time at={entry.created_at} /> },
  { head: 'Action', cell: (entry) => entry.action.replaceAll('_', ' ') },
  { head: 'What', cell: (entry) => `${entry.object_type.replaceAll('_', ' ')}${entry.object_id ? ` ${entry.object_id}` : ''}` },
]

/** What one has done lately, as the audit log has it. */
export function OwnActions() {
  const query = useQuery(ownAuditQuery)
  return (
    <Panel flush title="What you did" note="the last 10 entries of the audit log">
      <QueryState query={query} what="your actions" loading={<LoadingLines lines={5} />}>
        {({ entries }) =>
          entries.length === 0 ? (
            <EmptyState title="Nothing yet" />
          ) : (
            <SmallTable label="What you did" columns={columns} rows={entries} rowKey={(entry) => String(entry.id)} maxHeight={300} />
          )
        }
      </QueryState>
    </Panel>
  )
}
