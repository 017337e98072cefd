import type { CDPSession, Page } from '@playwright/test'

/** Runs in the page before everything else: keeps what the browser tells of its own work. One clock: `performance.now()`. */
function keepWatch(): void {
  const watch = {
    longTasks: [] as { at: number; ms: number }[],
    shifts: [] as { at: number; value: number; what: string }[],
    largestPaint: 0,
    /** Between two frames, milliseconds; only those that came late. */
    lateFrames: [] as { at: number; ms: number }[],
    frames: 0,
    seen: {} as Record<string, { inDocument: number; painted?: number }>,
    awaited: new Set<string>(),
  }
  const observe = (type: string, take: (entry: PerformanceEntry) => void) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
  observe('longtask', ({ startTime, duration }) => watch.longTasks.push({ at: startTime, ms: duration }))
  observe('largest-contentful-paint', ({ startTime }) => (watch.largestPaint = startTime))
  observe('layout-shift', (entry) => {
    const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] }
    if (shift.hadRecentInput) return
    const what = shift.sources
      .map(({ node }) => (node instanceof Element ? node : node?.parentElement)?.outerHTML.slice(0, 160))
      .join(' | ')
    watch.shifts.push({ at: shift.startTime, value: shift.value, what })
  })

  let last = performance.now()
  const frame = (now: number) => {
    watch.frames += 1
    if (now - last > 50) watch.lateFrames.push({ at: now, ms: now - last })
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)

  const look = (text: string) => {
    for (const name of watch.awaited) {
      if (!text.includes(name)) continue
      watch.awaited.delete(name)
      const found: { inDocument: number; painted?: number } = { inDocument: performance.now() }
      watch.seen[name] = found
      // A message after the next frame: by then it is on the screen.
      requestAnimationFrame(() => setTimeout(() => (found.painted = performance.now())))
    }
  }
  new MutationObserver((changes) => {
    if (watch.awaited.size === 0) return
    for (const { addedNodes, target, type } of changes) {
      if (type === 'characterData') look(target.textContent ?? '')
      for (const node of addedNodes) look(node.textContent ?? '')
    }
  }).observe(document, { childList: true, characterData: true, subtree: true })
  Object.assign(globalThis, { watch })
}

export interface Watched {
  longTasks: { at: number; ms: number }[]
  shifts: { at: number; value: number; what: string }[]
  largestPaint: number
  lateFrames: { at: number; ms: number }[]
  frames: number
  seen: Record<string, { inDocument: number; painted?: number }>
  awaited: Set<string>
}

export async function watchOver(page: Page): Promise<void> {
  await page.addInitScript(keepWatch)
}

export function watched(page: Page): Promise<Omit<Watched, 'awaited'>> {
  return page.evaluate(() => {
    const { awaited: _awaited, ...told } = (globalThis as unknown as { watch: Watched }).watch
    return told
  })
}

export interface HeapReading {
  /** Page's clock, before and after the forced collection. */
  from: number
  to: number
  megabytes: number
  nodes: number
  listeners: number
}

/** What is left after everything that can be collected is. */
export async function readHeap(page: Page, devtools: CDPSession): Promise<HeapReading> {
  const from = await page.evaluate(() => performance.now())
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await devtools.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters')
  const to = await page.evaluate(() => performance.now())
  return { from, to, megabytes: usedSize / 1e6, nodes, listeners: jsEventListeners }
}

export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Change in a minute, by least squares. */
export function slopeAMinute(readings: HeapReading[]): number {
  const at = readings.map(({ from }) => from / 60_000)
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [middle, level] = [mean(at), mean(readings.map(({ megabytes }) => megabytes))]
  const over = readings.reduce((sum, { megabytes }, index) => sum + ((at[index] ?? 0) - middle) * (megabytes - level), 0)
  return over / at.reduce((sum, value) => sum + (value - middle) ** 2, 0)
}
