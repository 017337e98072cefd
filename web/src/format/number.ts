const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** Shown wherever a figure is unknown: unknown is never 0. */
export const unknown = '–'

export function formatCount(value: number | null | undefined): string {
  return value == null ? unknown : whole.format(value)
}

/** 12,345 as 12.3K, for axes and narrow places. */
export function formatShortCount(value: number | null | undefined): string {
  return value == null ? unknown : short.format(value)
}

export function formatPercent(value: number | null | undefined): string {
  return value == null ? unknown : `${oneDecimal.format(value)} %`
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** Decimal units, as network gear counts: 1 kB is 1,000 B. Three significant digits. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes == null) return unknown
  let value = Math.abs(bytes)
  let unit = 0
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${bytes < 0 ? '−' : ''}${Number(value.toFixed(digits))} ${byteUnits[unit]}`
}

/** Bytes a second, shown as bits a second, as network gear counts. */
export function formatRate(bytesPerSecond: number | null | undefined): string {
  if (bytesPerSecond == null) return unknown
  return formatBytes(bytesPerSecond * 8).replace('B', 'bit') + '/s'
}
