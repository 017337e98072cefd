import { LineChart } from 'echarts/charts'
import { DataZoomComponent, GridComponent, TooltipComponent } from 'echarts/components'
import { init, use as register, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { dark, fontFamily, light, type SchemeTokens } from '@/theme/tokens'
import { formatTime, formatTimeOfDay, formatDate, type Clock } from '@/format/time'
import { useScheme } from '@/preferences/appearance'
import { usePreferences } from '@/preferences/preferences'
import type { TimeChartProps, TimeSeries } from './TimeChart'

register([LineChart, GridComponent, TooltipComponent, DataZoomComponent, CanvasRenderer])

/** The canvas. Loaded with the library, by `TimeChart` only. */
export default function EChart(props: TimeChartProps & { height: number }) {
  const container = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType>(undefined)
  const scheme = useScheme()
  const clock = usePreferences()

  useEffect(() => {
    if (!container.current) return
    const instance = init(container.current)
    chart.current = instance
    const observer = new ResizeObserver(() => instance.resize())
    observer.observe(container.current)
    return () => {
      observer.disconnect()
      instance.dispose()
    }
  }, [])

  useEffect(() => {
    chart.current?.setOption(optionsOf(props, scheme === 'dark' ? dark : light, clock), { notMerge: false, replaceMerge: ['series'] })
  }, [props, scheme, clock])

  return <div ref={container} style={{ height: props.height }} />
}

function optionsOf({ series, format, from, to, max, signed, zoom }: TimeChartProps, tokens: SchemeTokens, clock: Clock) {
  const text = { fontFamily, fontSize: 11, color: tokens.textMuted }
  return {
    animation: false,
    color: [...tokens.series],
    textStyle: text,
    grid: { left: 4, right: 12, top: 8, bottom: zoom ? 44 : 4, containLabel: true },
    xAxis: {
      type: 'time',
      min: from,
      max: to,
      axisLine: { lineStyle: { color: tokens.lineStrong } },
      axisTick: { show: false },
      axisLabel: { ...text, hideOverlap: true, formatter: (at: number) => axisTime(at, clock) },
    },
    yAxis: {
      type: 'value',
      min: signed ? undefined : 0,
      max,
      interval: max && max / 4,
      splitNumber: 3,
      // Signed figures are whole ones: no label twice.
      minInterval: signed ? 1 : undefined,
      splitLine: { lineStyle: { color: tokens.line } },
      axisLabel: { ...text, formatter: format },
    },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: tokens.raised,
      borderColor: tokens.lineStrong,
      textStyle: { ...text, fontSize: 12, color: tokens.text },
      axisPointer: {
        label: { formatter: ({ value }: { value: number }) => formatTime(value, clock) },
        lineStyle: { color: tokens.lineStrong },
      },
      valueFormatter: (value: number | null) => (value == null ? '–' : format(value)),
    },
    dataZoom: zoom
      ? [
          {
            type: 'slider',
            height: 22,
            bottom: 6,
            borderColor: tokens.line,
            textStyle: text,
            labelFormatter: (at: number) => axisTime(at, clock),
          },
          { type: 'inside', zoomOnMouseWheel: 'ctrl' },
        ]
      : [],
    series: series.map((one, index) => lineOf(one, tokens.series[index % tokens.series.length] ?? tokens.primary)),
  }
}

function lineOf({ name, points, area, step }: TimeSeries, colour: string) {
  return {
    id: name,
    name,
    type: 'line' as const,
    data: points,
    showSymbol: points.length < 3,
    symbolSize: 5,
    step: step ? ('end' as const) : undefined,
    sampling: 'lttb' as const,
    lineStyle: { width: 1.75, color: colour },
    areaStyle: area ? { color: colour, opacity: 0.12 } : undefined,
  }
}

/** The date at midnight, else the time of day. */
function axisTime(at: number, clock: Clock): string {
  const time = formatTimeOfDay(at, { ...clock, hourCycle: '24' }, 'minutes')
  return time === '00:00' ? formatDate(at, clock) : time
}
