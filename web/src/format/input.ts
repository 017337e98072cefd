import { formatDate, formatTimeOfDay, timeZone, type Clock } from './time'

/** An instant as `<input type="datetime-local">` wants it, in the chosen zone. */
export function toInput(at: string | undefined, clock: Clock): string {
  if (!at || Number.isNaN(Date.parse(at))) return ''
  const plain: Clock = { ...clock, dateFormat: 'iso', hourCycle: '24' }
  return `${formatDate(at, plain)}T${formatTimeOfDay(at, plain)}`
}

/** How far the zone is ahead of UTC at that instant, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const plain: Clock = { clock: 'local', localTimeZone: zone, dateFormat: 'iso', hourCycle: '24' }
  const wall = Date.parse(`${formatDate(instant, plain)}T${formatTimeOfDay(instant, plain, 'milliseconds')}Z`)
  return wall - instant
}

/** The instant that an input's text means in the chosen zone; undefined when it is not complete. */
export function fromInput(text: string, clock: Clock): string | undefined {
  const wall = Date.parse(`${text}Z`)
  if (Number.isNaN(wall)) return undefined
  const zone = timeZone(clock)
  if (zone === 'UTC') return new Date(wall).toISOString()
  // Twice, because the offset counts that holds at the result, not at the first guess.
  const guess = wall - offsetAt(wall, zone)
  return new Date(wall - offsetAt(guess, zone)).toISOString()
}
