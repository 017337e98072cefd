import { useQuery } from '@tanstack/react-query'
import type { VpnUserDetail } from '@/api/types'
import { BarChart, type Bar } from '@/components/charts/BarChart'
import { Panel } from '@/components/Panel'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { formatBytes, formatCount } from '@/format/number'
import { activityQuery } from './queries'

/** What a VPN user did on each of the last 30 days. */
export function Activity({ user }: { user: VpnUserDetail }) {
  const query = useQuery(activityQuery(user.id))
  return (
    <Panel title="Data a day" note="last 30 days, UTC">
      <QueryState query={query} what="the activity" loading={<LoadingBlock height={206} />}>
        {({ days }) => (
          <BarChart
            label="Data a day, last 30 days"
            series={['From client', 'To client']}
            bars={days.map((day) => barOf(user.id, day))}
            format={formatBytes}
            height={180}
            labelEvery={7}
          />
        )}
      </QueryState>
    </Panel>
  )
}

function barOf(
  userId: number,
  { date, sessions, bytes_in, bytes_out }: { date: string; sessions: number; bytes_in: number; bytes_out: number },
): Bar {
  return {
    key: date,
    label: date.slice(5),
    title: `${date}, ${formatCount(sessions)} ${sessions === 1 ? 'session' : 'sessions'}`,
    values: [bytes_in, bytes_out],
    to: `/sessions?user_id=${userId}&range=custom&from=${date}T00:00:00.000Z&to=${date}T23:59:59.999Z`,
  }
}
