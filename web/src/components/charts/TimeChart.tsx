import { lazy, Suspense, useMemo } from 'react'
import { LoadingBlock } from '@/components/states/Loading'
import { formatTime } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { ChartFrame } from './ChartFrame'

/** The chart library comes with the first chart that needs it. */
const EChart = lazy(() => import('./EChart'))

export interface TimeSeries {
  name: string
  /** Milliseconds and value; null where it is unknown: the line has a hole there. */
  points: [number, number | null][]
  area?: boolean
  /** A value that holds until the next one. */
  step?: boolean
}

export interface TimeChartProps {
  label: string
  series: TimeSeries[]
  format: (value: number) => string
  height?: number
  /** Ends of the axis in milliseconds, where the points do not reach them. */
  from?: number
  to?: number
  max?: number
  /** Values may be below 0. */
  signed?: boolean
  /** A slider to look closer. */
  zoom?: boolean
}

const tableRows = 200

/** Lines over time. Tens of thousands of points are fine. */
export function TimeChart(props: TimeChartProps) {
  const { label, series, format, height = 220 } = props
  const clock = usePreferences()
  const table = useMemo(() => {
    const times = [...new Set(series.flatMap((one) => one.points.map(([at]) => at)))].toSorted((a, b) => b - a).slice(0, tableRows)
    const lookups = series.map((one) => new Map(one.points))
    const cell = (value: number | null | undefined) => (value == null ? '–' : format(value))
    return {
      head: ['', ...series.map((one) => one.name)],
      rows: times.map((at) => [formatTime(at, clock), ...lookups.map((lookup) => cell(lookup.get(at)))]),
    }
  }, [series, format, clock])
  return (
    <ChartFrame label={label} series={series.map((one) => one.name)} table={table} height={height}>
      <Suspense fallback={<LoadingBlock height={height} />}>
        <EChart {...props} height={height} />
      </Suspense>
    </ChartFrame>
  )
}
