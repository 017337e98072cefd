import { useQuery } from '@tanstack/react-query'
import type { LoginAttempt } from '@/api/types'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'
import { browserName } from './browserName'
import { loginsQuery } from './queries'

const columns: SmallColumn<LoginAttempt>[] = [
  { head: 'When', cell: (login) => <Time at={login.at} /> },
  {
    head: 'Outcome',
    cell: (login) => <ToneChip tone={login.outcome === 'accepted' ? 'good' : 'bad'} label={login.outcome.replaceAll('_', ' ')} />,
  },
  { head: 'Address', cell: (login) => <span className="mono">{login.ip_address ?? unknown}</span> },
  { head: 'Browser', cell: (login) => <span title={login.user_agent ?? undefined}>{browserName(login.user_agent)}</span> },
]

/** The last ten who came in with this name, and the last ten who did not. */
export function Logins() {
  const query = useQuery(loginsQuery)
  return (
    <Panel flush title="Sign-ins" note="the last 10, and the last 10 that were refused">
      <QueryState query={query} what="your sign-ins" loading={<LoadingLines lines={5} />}>
        {({ logins, failures }) => (
          <SmallTable
            label="Sign-ins"
            columns={columns}
            rows={[...logins, ...failures].toSorted((a, b) => (a.at < b.at ? 1 : -1))}
            rowKey={(login) => `${login.at}-${login.outcome}`}
            maxHeight={300}
          />
        )}
      </QueryState>
    </Panel>
  )
}
