import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { SessionDetail, SessionTraffic } from '@/api/types'
import { TimeChart, type TimeSeries } from '@/components/charts/TimeChart'
import { Facts } from '@/components/Facts'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { formatRate } from '@/format/number'
import { trafficQuery } from './queries'

/** How fast data flowed, between the counters that the agent has reported. */
export function Traffic({ session }: { session: SessionDetail }) {
  const query = useQuery(trafficQuery(session.id, session.session_status === 'active'))
  return (
    <Panel
      title="Traffic"
      note={query.data && query.data.readings > 0 ? `from ${query.data.readings} readings of the counters` : undefined}
    >
      <QueryState query={query} what="the traffic" loading={<LoadingBlock height={230} />}>
        {(traffic) =>
          traffic.readings === 0 ? (
            <EmptyState
              title="No readings of the counters"
              detail="The agent of this VPN server has not reported any for this session while it ran."
            />
          ) : (
            <Readings traffic={traffic} />
          )
        }
      </QueryState>
    </Panel>
  )
}

function Readings({ traffic }: { traffic: SessionTraffic }) {
  const series = useMemo(() => seriesOf(traffic), [traffic])
  return (
    <Box sx={{ display: 'grid', gap: 1.5 }}>
      <Facts
        facts={[
          { label: 'Average from client', value: formatRate(traffic.average_rate_in) },
          { label: 'Average to client', value: formatRate(traffic.average_rate_out) },
          { label: 'Peak from client', value: <PeakRate peak={traffic.peak_rate_in} /> },
          { label: 'Peak to client', value: <PeakRate peak={traffic.peak_rate_out} /> },
        ]}
      />
      <TimeChart label="Traffic of the session" series={series} format={formatRate} zoom={traffic.points.length > 60} />
    </Box>
  )
}

function PeakRate({ peak }: { peak: SessionTraffic['peak_rate_in'] }) {
  if (!peak) return <>–</>
  return (
    <>
      {formatRate(peak.bytes_per_second)} until <Time at={peak.to} relative="none" />
    </>
  )
}

/** A rate holds for the time before its point. */
function seriesOf({ points }: SessionTraffic): TimeSeries[] {
  const line = (name: string, rate: 'rate_in' | 'rate_out'): TimeSeries => ({
    name,
    area: true,
    step: true,
    points: points.map((point, index) => [Date.parse(point.at), points[index + 1]?.[rate] ?? null]),
  })
  return [line('From client', 'rate_in'), line('To client', 'rate_out')]
}
