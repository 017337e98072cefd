import { useMemo } from 'react'
import { useNow } from '@/format/now'
import { oneOf, optionalText } from './url'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

export const rangePresets = {
  all: 'Any time',
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  today: 'Today (UTC)',
  yesterday: 'Yesterday (UTC)',
  custom: 'Custom',
} as const

export type RangePreset = keyof typeof rangePresets
const names = Object.keys(rangePresets) as RangePreset[]

/** Add these to a page's view: `{ ...rangeView('24h'), … }`. `from` and `to` count with `custom` only. */
export function rangeView(fallback: RangePreset = 'all') {
  return { range: oneOf(names, fallback), from: optionalText(), to: optionalText() }
}

export interface Range {
  range: RangePreset
  from: string | undefined
  to: string | undefined
}

/** As the API wants it: RFC 3339 in UTC, absent where open. */
export interface Dates {
  from_date?: string
  to_date?: string
}

export function resolveRange({ range, from, to }: Range, now: number): Dates {
  const since = (milliseconds: number): Dates => ({ from_date: new Date(now - milliseconds).toISOString() })
  const midnight = Math.floor(now / day) * day
  switch (range) {
    case 'all':
      return {}
    case '1h':
      return since(hour)
    case '24h':
      return since(day)
    case '7d':
      return since(7 * day)
    case '30d':
      return since(30 * day)
    case 'today':
      return { from_date: new Date(midnight).toISOString() }
    case 'yesterday':
      return { from_date: new Date(midnight - day).toISOString(), to_date: new Date(midnight - 1).toISOString() }
    case 'custom':
      return { ...(from && { from_date: from }), ...(to && { to_date: to }) }
  }
}

/** Moves on once a minute, so that query keys stay the same in between. */
export function useDates({ range, from, to }: Range): Dates {
  const now = useNow(minute)
  return useMemo(() => resolveRange({ range, from, to }, now), [range, from, to, now])
}
