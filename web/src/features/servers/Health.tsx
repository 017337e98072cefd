import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { HealthHistory, ServerDetail } from '@/api/types'
import { TimeChart, type TimeSeries } from '@/components/charts/TimeChart'
import { Panel } from '@/components/Panel'
import { Segments } from '@/components/Segments'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { formatCount } from '@/format/number'
import { formatSkew } from '@/format/server'
import { oneOf, useView } from '@/view-state/url'
import { healthQuery } from './queries'

const spans = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' } as const
type Span = keyof typeof spans
const hours: Record<Span, number> = { '24h': 24, '7d': 168, '30d': 720 }
const view = { health: oneOf(['24h', '7d', '30d'], '24h') }

const percent = (value: number) => `${Math.round(value)} %`
const count = (value: number) => formatCount(value)
const milliseconds = (value: number) => formatSkew(Math.round(value))

/** How it was: what its agent measured, and what we counted. */
export function Health({ server }: { server: ServerDetail }) {
  const [{ health: span }, setView] = useView(view)
  const query = useQuery(healthQuery(server.id, hours[span]))
  return (
    <Panel
      title="Health"
      note="highest of each part"
      actions={
        <Segments<Span> label="Time span" value={span} choices={spans} onChange={(health) => setView({ health }, { replace: true })} />
      }
    >
      <QueryState query={query} what="the health history" loading={<LoadingBlock height={230} />}>
        {(history) =>
          history.samples.length === 0 ? (
            <EmptyState title="No heartbeat in this time" detail="Its agent sends none, or has not been there." />
          ) : (
            <Charts history={history} />
          )
        }
      </QueryState>
    </Panel>
  )
}

type Sample = HealthHistory['samples'][number]

/** A line with a hole wherever no heartbeat came. */
function lineOf(
  history: HealthHistory,
  name: string,
  value: (sample: Sample) => number | null | undefined,
  more?: Partial<TimeSeries>,
): TimeSeries {
  const step = history.step_seconds * 1000
  const points: TimeSeries['points'] = []
  let last: number | undefined
  for (const sample of history.samples) {
    const at = Date.parse(sample.at)
    if (last !== undefined && at - last > 2.5 * step) points.push([last + step, null])
    points.push([at, value(sample) ?? null])
    last = at
  }
  return { name, points, ...more }
}

function Charts({ history }: { history: HealthHistory }) {
  const charts = useMemo(
    () => ({
      load: [
        lineOf(history, 'CPU', (sample) => sample.cpu_percent, { area: true }),
        lineOf(history, 'Memory', (sample) => sample.memory_percent),
      ],
      sessions: [
        lineOf(history, 'Active sessions', (sample) => sample.active_sessions, { area: true }),
        lineOf(history, 'Counted by the daemon', (sample) => sample.session_count),
      ],
      skew: [lineOf(history, 'Clock skew', (sample) => sample.clock_skew_ms)],
    }),
    [history],
  )
  const range = { from: Date.parse(history.from), to: Date.parse(history.to), height: 190 }
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 3,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))', lg: 'repeat(3, minmax(0, 1fr))' },
      }}
    >
      <TimeChart label="CPU and memory" series={charts.load} format={percent} max={100} {...range} />
      <TimeChart label="Sessions" series={charts.sessions} format={count} {...range} />
      <TimeChart label="Clock skew" series={charts.skew} format={milliseconds} signed {...range} />
    </Box>
  )
}
