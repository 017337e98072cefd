import { describe, expect, it } from 'vitest'
import { classify } from './address'
import { fromInput, toInput } from './input'
import { formatBytes, formatCount, formatRate } from './number'
import { formatDuration, formatRelative, formatTime, zoneName, type Clock } from './time'

const utc: Clock = { clock: 'utc', localTimeZone: '', dateFormat: 'iso', hourCycle: '24' }
const berlin: Clock = { ...utc, clock: 'local', localTimeZone: 'Europe/Berlin' }
const at = '2026-07-13T22:04:05.678Z'

describe('sizes', () => {
  it.each([
    [null, '–'],
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1536, '1.54 kB'],
    [999_999, '1 MB'],
    [41_250_000, '41.3 MB'],
    [2_733_000_000, '2.73 GB'],
  ])('%s bytes read %s', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected)
  })

  it('never takes unknown for nothing', () => {
    expect([formatCount(undefined), formatCount(0), formatBytes(undefined)]).toEqual(['–', '0', '–'])
  })

  it('tells rates in bits', () => {
    expect(formatRate(125_000)).toBe('1 Mbit/s')
  })
})

describe('times', () => {
  it('are told in UTC or in the local zone', () => {
    expect(formatTime(at, utc)).toBe('2026-07-13 22:04:05')
    expect(formatTime(at, berlin, 'milliseconds')).toBe('2026-07-14 00:04:05.678')
    expect([zoneName(utc, at), zoneName(berlin, at)]).toEqual(['UTC', 'GMT+2'])
  })

  it('are told in the chosen style', () => {
    expect(formatTime(at, { ...utc, dateFormat: 'mdy', hourCycle: '12' }, 'minutes')).toBe('07/13/2026 10:04 pm')
    expect(formatTime(at, { ...utc, dateFormat: 'dmy' })).toBe('13/07/2026 22:04:05')
  })

  it('have an age', () => {
    const now = Date.parse(at)
    expect(formatRelative(now - 2000, now)).toBe('now')
    expect(formatRelative(now - 65_000, now)).toBe('1 min. ago')
    expect(formatRelative(now + 3 * 86_400_000, now)).toBe('in 3 days')
  })

  it('survive an input field, also across a change of the clocks', () => {
    const times = [at, '2026-03-29T00:30:00.000Z', '2026-03-29T01:30:00.000Z', '2026-10-25T02:30:00.000Z']
    for (const clock of [utc, berlin]) {
      for (const time of times) {
        const whole = time.replace(/\.\d+Z/, '.000Z')
        expect(fromInput(toInput(whole, clock), clock)).toBe(whole)
      }
    }
    expect(fromInput('', utc)).toBeUndefined()
  })

  it('last', () => {
    expect([0, 42, 725, 12_000, 187_200].map(formatDuration)).toEqual(['0 s', '42 s', '12 min 5 s', '3 h 20 min', '2 d 4 h'])
  })
})

describe('what was typed into the search', () => {
  it.each([
    ['10.8.0.23', 'address'],
    ['fd00::2', 'address'],
    ['2001:db8:51:e2::1', 'address'],
    ['10.8.0.0/24', 'network'],
    ['fd00::/64', 'network'],
    ['0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b', 'uuid'],
    ['10.8.0.256', 'text'],
    ['10.8.0.0/33', 'text'],
    ['jdoe', 'text'],
  ])('%s is taken for %s', (typed, kind) => {
    expect(classify(typed)).toBe(kind)
  })
})
