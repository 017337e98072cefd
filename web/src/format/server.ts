import type { ServerDetail, Trouble } from '@/api/types'
import { formatCount, unknown } from './number'

const troubles: Record<Trouble, string> = {
  clock_skew: 'clock is off',
  spool_backlog: 'agent is behind',
  missing_events: 'events are missing',
  overloaded: 'overloaded',
}

export function troubleText(trouble: Trouble): string {
  return troubles[trouble]
}

/** Events that are missing: `12 in 3 gaps`. */
export function gapsText({ missing_events, ranges }: ServerDetail['gaps']): string {
  return `${formatCount(missing_events)} in ${formatCount(ranges)} ${ranges === 1 ? 'gap' : 'gaps'}`
}

/** The server's clock minus ours: `+120 ms`, `−7.2 s`. */
export function formatSkew(milliseconds: number | null | undefined): string {
  if (milliseconds == null) return unknown
  if (milliseconds === 0) return '0 ms'
  const sign = milliseconds < 0 ? '−' : '+'
  const size = Math.abs(milliseconds)
  if (size < 1000) return `${sign}${size} ms`
  return `${sign}${(size / 1000).toFixed(1)} s`
}
