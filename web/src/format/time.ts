import type { Preferences } from '@/preferences/preferences'
import { unknown } from './number'

/** What of the preferences decides how a time reads. */
export type Clock = Pick<Preferences, 'clock' | 'localTimeZone' | 'dateFormat' | 'hourCycle'>

export type Instant = string | number | Date

export function timeZone(clock: Clock): string {
  if (clock.clock === 'utc') return 'UTC'
  return clock.localTimeZone || new Intl.DateTimeFormat().resolvedOptions().timeZone
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function parts(at: Instant, clock: Clock): Record<string, string> {
  const zone = timeZone(clock)
  const key = `${zone} ${clock.hourCycle}`
  let formatter = formatters.get(key)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: clock.hourCycle === '12' ? 'h12' : 'h23',
      timeZoneName: 'shortOffset',
    })
    formatters.set(key, formatter)
  }
  return Object.fromEntries(formatter.formatToParts(new Date(at)).map((part) => [part.type, part.value]))
}

export function formatDate(at: Instant | null | undefined, clock: Clock): string {
  if (at == null) return unknown
  const { year, month, day } = parts(at, clock)
  if (clock.dateFormat === 'dmy') return `${day}/${month}/${year}`
  if (clock.dateFormat === 'mdy') return `${month}/${day}/${year}`
  return `${year}-${month}-${day}`
}

export type Precision = 'minutes' | 'seconds' | 'milliseconds'

export function formatTimeOfDay(at: Instant | null | undefined, clock: Clock, precision: Precision = 'seconds'): string {
  if (at == null) return unknown
  const { hour, minute, second, fractionalSecond, dayPeriod } = parts(at, clock)
  const seconds = precision === 'minutes' ? '' : `:${second}`
  const fraction = precision === 'milliseconds' ? `.${fractionalSecond}` : ''
  return `${hour}:${minute}${seconds}${fraction}${dayPeriod ? ` ${dayPeriod}` : ''}`
}

export function formatTime(at: Instant | null | undefined, clock: Clock, precision: Precision = 'seconds'): string {
  if (at == null) return unknown
  return `${formatDate(at, clock)} ${formatTimeOfDay(at, clock, precision)}`
}

/** `UTC`, `GMT+2`: to be shown beside times and in the heads of columns. */
export function zoneName(clock: Clock, at: Instant = Date.now()): string {
  return clock.clock === 'utc' ? 'UTC' : (parts(at, clock).timeZoneName ?? timeZone(clock))
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const relativeUnits: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** `3 min. ago`, `in 12 days`; less than five seconds is `now`. */
export function formatRelative(at: Instant | null | undefined, now: number): string {
  if (at == null) return unknown
  const seconds = (new Date(at).getTime() - now) / 1000
  if (Math.abs(seconds) < 5) return 'now'
  const [unit, length] = relativeUnits.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return relative.format(Math.trunc(seconds / length), unit)
}

/** `42 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`: the two largest units. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds == null) return unknown
  const total = Math.max(0, Math.round(seconds))
  const sizes: [string, number][] = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ]
  const first = sizes.findIndex(([, size]) => total >= size)
  if (first < 0) return '0 s'
  const shown: string[] = []
  let rest = total
  for (const [name, size] of sizes.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) shown.push(`${count} ${name}`)
  }
  return shown.join(' ')
}
