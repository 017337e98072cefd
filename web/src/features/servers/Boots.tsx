import type { ServerDetail } from '@/api/types'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { Time } from '@/components/Time'
import { formatCount } from '@/format/number'

type Boot = ServerDetail['boots'][number]

const columns: SmallColumn<Boot>[] = [
  { head: 'First event', cell: (boot) => <Time at={boot.started_at} /> },
  { head: 'Events', numeric: true, cell: (boot) => formatCount(boot.highest_seq) },
  { head: 'Boot', cell: (boot) => (boot.boot_id ? <Mono text={boot.boot_id.slice(0, 8)} /> : 'not named by the agent') },
]

/** The daemon's lives. Each new one ends the sessions of the one before. */
export function Boots({ server }: { server: ServerDetail }) {
  return (
    <Panel flush title="Boots" note="the latest 20">
      {server.boots.length === 0 ? (
        <EmptyState title="No event yet" />
      ) : (
        <SmallTable
          label="Boots"
          columns={columns}
          rows={server.boots}
          rowKey={(boot) => `${boot.boot_id}-${boot.started_at}`}
          maxHeight={360}
        />
      )}
    </Panel>
  )
}
