import Box from '@mui/material/Box'
import { useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { ChartFrame } from './ChartFrame'
import { niceCeiling, seriesColour } from './scale'

export interface Bar {
  key: string
  /** On the axis. */
  label: string
  /** In the tooltip and the table. */
  title: string
  /** One figure for each series, stacked. */
  values: number[]
  /** The list behind the bar. */
  to?: string
}

interface BarChartProps {
  /** What is shown, for screen readers: "Data a day, last 7 days". */
  label: string
  series: string[]
  bars: Bar[]
  format: (value: number) => string
  height?: number
  /** A label under each so many bars. */
  labelEvery?: number
}

/** Stacked columns, without a chart library: the dashboard has to be there at once. */
export function BarChart({ label, series, bars, format, height = 200, labelEvery = 1 }: BarChartProps) {
  const [hovered, setHovered] = useState<number>()
  const top = niceCeiling(Math.max(0, ...bars.map((bar) => total(bar))))
  const table = { head: ['', ...series], rows: bars.map((bar) => [bar.title, ...bar.values.map(format)]) }
  const shown = hovered === undefined ? undefined : bars[hovered]
  return (
    <ChartFrame label={label} series={series} table={table} height={height}>
      <Box sx={{ position: 'absolute', inset: '6px 0 22px 52px' }} onMouseLeave={() => setHovered(undefined)}>
        <GridLines top={top} format={format} />
        <Box sx={{ position: 'absolute', inset: 0, display: 'flex', gap: bars.length > 12 ? '2px' : '8px', px: '2px' }}>
          {bars.map((bar, index) => (
            <Column
              key={bar.key}
              bar={bar}
              top={top}
              dim={hovered !== undefined && hovered !== index}
              labelled={(bars.length - 1 - index) % labelEvery === 0}
              onHover={() => setHovered(index)}
            />
          ))}
        </Box>
        {shown && (
          <HoverNote
            at={((hovered ?? 0) + 0.5) / bars.length}
            title={shown.title}
            lines={series.map((name, index) => ({ name, index, text: format(shown.values[index] ?? 0) }))}
          />
        )}
      </Box>
    </ChartFrame>
  )
}

function total(bar: Bar): number {
  return bar.values.reduce((sum, value) => sum + value, 0)
}

function GridLines({ top, format }: { top: number; format: (value: number) => string }) {
  return (
    <>
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <Box
          key={share}
          sx={{
            position: 'absolute',
            left: 0,
            right: 0,
            bottom: `${share * 100}%`,
            borderTop: '1px solid',
            borderColor: share === 0 ? 'ovt.lineStrong' : 'ovt.line',
          }}
        >
          {share % 0.5 === 0 && (
            <Box
              component="span"
              className="tabular"
              sx={{
                position: 'absolute',
                right: '100%',
                mr: 1,
                top: -9,
                fontSize: '0.6875rem',
                color: 'text.secondary',
                whiteSpace: 'nowrap',
              }}
            >
              {format(top * share)}
            </Box>
          )}
        </Box>
      ))}
    </>
  )
}

interface ColumnProps {
  bar: Bar
  top: number
  dim: boolean
  labelled: boolean
  onHover: () => void
}

function Column({ bar, top, dim, labelled, onHover }: ColumnProps) {
  const navigate = useNavigate()
  return (
    // The table behind the chart offers the same links to the keyboard.
    <Box
      onMouseEnter={onHover}
      onClick={() => bar.to && void navigate(bar.to)}
      sx={{
        position: 'relative',
        flex: 1,
        display: 'flex',
        flexDirection: 'column-reverse',
        alignItems: 'center',
        cursor: bar.to ? 'pointer' : 'default',
        opacity: dim ? 0.45 : 1,
        transition: 'opacity 120ms',
      }}
    >
      {bar.values.map((value, index) => (
        <Box
          key={index}
          sx={{
            width: '100%',
            maxWidth: 56,
            height: `${top === 0 ? 0 : (value / top) * 100}%`,
            bgcolor: seriesColour(index),
            borderRadius: index === bar.values.length - 1 ? '3px 3px 0 0' : 0,
          }}
        />
      ))}
      {labelled && (
        <Box
          component="span"
          className="tabular"
          sx={{ position: 'absolute', top: '100%', mt: '5px', fontSize: '0.6875rem', color: 'text.secondary', whiteSpace: 'nowrap' }}
        >
          {bar.label}
        </Box>
      )}
    </Box>
  )
}

interface HoverNoteProps {
  /** Where, as a share of the width. */
  at: number
  title: ReactNode
  lines: { name: string; index: number; text: string }[]
}

function HoverNote({ at, title, lines }: HoverNoteProps) {
  return (
    <Box
      sx={{
        position: 'absolute',
        top: 0,
        left: `${at * 100}%`,
        transform: `translateX(${at > 0.6 ? 'calc(-100% - 14px)' : '14px'})`,
        pointerEvents: 'none',
        zIndex: 2,
        px: 1.25,
        py: 0.75,
        borderRadius: 1,
        bgcolor: 'ovt.raised',
        border: '1px solid',
        borderColor: 'ovt.lineStrong',
        boxShadow: '0 4px 16px rgb(8 16 32 / 16%)',
        fontSize: '0.75rem',
        whiteSpace: 'nowrap',
      }}
    >
      <Box sx={{ color: 'text.secondary', mb: 0.25 }}>{title}</Box>
      {lines.map(({ name, index, text }) => (
        <Box key={name} sx={{ display: 'flex', alignItems: 'center', gap: 0.75 }}>
          <Box sx={{ width: 8, height: 8, borderRadius: '2px', bgcolor: seriesColour(index) }} />
          <span>{name}</span>
          <Box className="tabular" sx={{ ml: 'auto', pl: 2, fontWeight: 600 }}>
            {text}
          </Box>
        </Box>
      ))}
    </Box>
  )
}
