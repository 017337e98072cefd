import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { UserRoundX } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Denial } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { Pager } from '@/components/data-grid/Pager'
import { FilterBar } from '@/components/filters/FilterBar'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { Segments } from '@/components/Segments'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { integer, oneOf, useView } from '@/view-state/url'
import { denialsQuery } from './queries'
import { RevokeDialog } from './RevokeDialog'

const view = { shown: oneOf(['in_force', 'all'] as const, 'in_force'), page: integer(1), per_page: integer(50) }

/** VPN users who may not connect to a VPN server for a time. */
export function DenialsPage() {
  const [{ shown, page, per_page }, setView] = useView(view)
  const query = useQuery(denialsQuery({ shown, page, per_page }))
  const mayRevoke = usePermission('terminateSessions')
  const [revoking, setRevoking] = useState<Denial>()
  const columns = useMemo(() => columnsOf(mayRevoke ? setRevoking : undefined), [mayRevoke])
  return (
    <Page title="Denials" subtitle="VPN users whose connects are refused for a time. A termination asks for it.">
      <Panel flush>
        <FilterBar>
          <Segments
            label="Denials"
            value={shown}
            choices={{ in_force: 'In force', all: 'All' }}
            onChange={(shown) => setView({ shown, page: 1 })}
          />
        </FilterBar>
        <QueryState query={query} what="the denials" loading={<LoadingBlock height={240} />}>
          {({ denials, total, pages }) => (
            <>
              {denials.length === 0 ? (
                <EmptyState
                  icon={UserRoundX}
                  title={shown === 'in_force' ? 'Nobody is denied' : 'Nobody was ever denied'}
                  detail="Whoever terminates a session can refuse the VPN user’s next connects for a time."
                />
              ) : (
                <SmallTable label="Denials" columns={columns} rows={denials} rowKey={(denial) => denial.id} />
              )}
              <Pager
                info={{ total, pages }}
                page={page}
                perPage={per_page}
                shown={denials.length}
                noun="denials"
                onPage={(page) => setView({ page })}
                onPerPage={(per_page) => setView({ per_page, page: 1 })}
              />
            </>
          )}
        </QueryState>
      </Panel>
      {revoking && <RevokeDialog denial={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  )
}

function columnsOf(onRevoke: ((denial: Denial) => void) | undefined): SmallColumn<Denial>[] {
  return [
    { head: 'VPN user', cell: (denial) => <TextLink to={`/vpn-users/${denial.vpn_user_id}`}>{denial.common_name}</TextLink> },
    { head: 'VPN server', cell: (denial) => <span style={{ whiteSpace: 'nowrap' }}>{denial.server_instance}</span> },
    { head: 'Status', cell: (denial) => <DenialChip denial={denial} /> },
    { head: 'Until', cell: (denial) => <Time at={denial.deny_until} /> },
    { head: 'Since', cell: (denial) => <Time at={denial.created_at} relative="none" /> },
    { head: 'By', cell: (denial) => denial.requested_by },
    { head: 'Reason', cell: (denial) => denial.reason },
    {
      head: '',
      cell: (denial) =>
        onRevoke &&
        denial.state === 'in_force' && (
          <Button color="error" aria-label={`Revoke the denial of ${denial.common_name}`} onClick={() => onRevoke(denial)}>
            Revoke
          </Button>
        ),
    },
  ]
}

/** In force is one thing, known to the VPN server’s agent another. */
function DenialChip({ denial }: { denial: Denial }) {
  if (denial.state === 'revoked') return <ToneChip tone="neutral" label={`revoked by ${denial.revoked_by ?? 'nobody'}`} />
  if (denial.state === 'expired') return <ToneChip tone="neutral" label="over" />
  return denial.applied_at ? (
    <ToneChip tone="good" label="refused" dot title={`Known to the agent since ${denial.applied_at}`} />
  ) : (
    <ToneChip tone="caution" label="agent not told yet" dot="pulse" title="The VPN server’s agent has not fetched it yet" />
  )
}
