/** The next figure at or above `value` at which an axis may end: 1, 2, 4, 5 or 8 times a power of ten. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 5, 8, 10].find((one) => one * power >= value) ?? 10
  return step * power
}

export function seriesColour(index: number): string {
  return `var(--ovt-palette-ovt-series-${index % 6})`
}
