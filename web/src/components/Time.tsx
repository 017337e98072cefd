import { useOfNow } from '@/format/now'
import { unknown } from '@/format/number'
import { formatDate, formatRelative, formatTime, formatTimeOfDay, zoneName, type Precision } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'

interface TimeProps {
  at: string | null | undefined
  precision?: Precision
  /** `beside` (default): absolute, then relative; `only`: relative with the absolute as a tooltip; `none`: absolute only. */
  relative?: 'beside' | 'only' | 'none'
}

/** A moment, in the zone that the person has chosen. */
export function Time({ at, precision = 'seconds', relative = 'beside' }: TimeProps) {
  const clock = usePreferences()
  if (!at) return <span>{unknown}</span>
  const absolute = formatTime(at, clock, precision)
  if (relative === 'only') {
    return (
      <time dateTime={at} title={`${absolute} ${zoneName(clock, at)}`} className="tabular">
        <Age at={at} />
      </time>
    )
  }
  return (
    <time dateTime={at} title={`${absolute} ${zoneName(clock, at)}`}>
      <span className="nowrap">
        {formatDate(at, clock)} <span className="tabular">{formatTimeOfDay(at, clock, precision)}</span>
      </span>
      {relative === 'beside' && ' '}
      {relative === 'beside' && (
        <span className="age">
          <Age at={at} />
        </span>
      )}
    </time>
  )
}

/** `12 sec. ago`, by itself; moves with the clock. */
export function Age({ at }: { at: string | number }) {
  return <>{useOfNow((now) => formatRelative(at, now))}</>
}
