import Box from '@mui/material/Box'
import { useMemo } from 'react'
import type { ActivityHour, Dashboard } from '@/api/types'
import { BarChart } from '@/components/charts/BarChart'
import { Panel } from '@/components/Panel'
import { formatBytes, formatCount, formatShortCount } from '@/format/number'
import { formatTime, formatTimeOfDay, zoneName } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { searchOf } from '@/view-state/url'
import { TopUsers } from './TopUsers'

const dayName = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' })
const hourMs = 3_600_000

export function UsageCharts({ dashboard }: { dashboard: Dashboard }) {
  const { hours, days } = dashboard.usage_data
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))', lg: 'repeat(3, minmax(0, 1fr))' },
      }}
    >
      <SessionsChart hours={hours} />
      <DataChart days={days} />
      <TopUsers users={dashboard.top_users} />
    </Box>
  )
}

/** The sessions that connected between two instants. */
function sessionsBetween(from: number, to: number): string {
  return `/sessions?${searchOf({ range: 'custom', from: new Date(from).toISOString(), to: new Date(to - 1).toISOString() })}`
}

function SessionsChart({ hours }: { hours: ActivityHour[] }) {
  const clock = usePreferences()
  const bars = useMemo(
    () =>
      hours.map(({ hour, active, connects, disconnects }) => {
        const begin = Date.parse(hour)
        return {
          key: hour,
          label: formatTimeOfDay(hour, { ...clock, hourCycle: '24' }, 'minutes'),
          title: `${formatTime(hour, clock, 'minutes')}, ${formatCount(connects)} came, ${formatCount(disconnects)} left`,
          values: [active],
          to: sessionsBetween(begin, begin + hourMs),
        }
      }),
    [hours, clock],
  )
  return (
    <Panel title="Sessions" note={`most at once, by hour, last 24 h, ${zoneName(clock)}`}>
      <BarChart
        label="Most sessions at once, by hour, last 24 hours"
        series={['At once']}
        bars={bars}
        format={formatShortCount}
        labelEvery={6}
      />
    </Panel>
  )
}

function DataChart({ days }: { days: Dashboard['usage_data']['days'] }) {
  const bars = useMemo(
    () =>
      days.map((day) => {
        const begin = Date.parse(day.date)
        return {
          key: day.date,
          label: dayName.format(begin),
          title: `${day.date}, ${formatCount(day.vpn_users)} VPN users`,
          values: [day.bytes_in, day.bytes_out],
          to: sessionsBetween(begin, begin + 24 * hourMs),
        }
      }),
    [days],
  )
  return (
    <Panel title="Data" note="by day, last 7 days, UTC">
      <BarChart label="Data by day, last 7 days" series={['From clients', 'To clients']} bars={bars} format={formatBytes} />
    </Panel>
  )
}
