import type { Page } from '@playwright/test'
import { expect, test } from '../support/journey'
import { arrived, expectLive, signIn } from '../support/people'
import { watched, watchOver } from './watch'

/** Lighthouse's slow phone: a quarter of this machine's speed, 150 ms there and back, 1.6 Mbit/s. */
const cpuSlowdown = Number(process.env.CPU_SLOWDOWN ?? 4)
const latencyMs = Number(process.env.LATENCY_MS ?? 150)
const kilobits = Number(process.env.KILOBITS ?? 1_638)
/** Longer than a task, shorter than a person would notice, is what a task may take. */
const blockingMs = 50
/** After the page is complete: what shifts when the first live data come still counts. */
const afterwardsMs = 6_000

const pages = [
  { name: 'login', path: '/', heading: 'Sign in', signedIn: false, ready: 'Sign in' },
  { name: 'dashboard', path: '/dashboard', heading: 'Dashboard', signedIn: true, ready: 'Top VPN users' },
  { name: 'sessions', path: '/sessions', heading: 'Sessions', signedIn: true, ready: / of .*sessions/ },
]

interface Traffic {
  requests: number
  bytes: number
}

/** Counts what is transferred, compressed as it is; the socket aside. */
async function countTraffic(page: Page): Promise<Traffic> {
  const devtools = await page.context().newCDPSession(page)
  const traffic = { requests: 0, bytes: 0 }
  await devtools.send('Network.enable')
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    traffic.requests += 1
    traffic.bytes += encodedDataLength
  })
  await devtools.send('Network.clearBrowserCache')
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: latencyMs,
    downloadThroughput: (kilobits * 1000) / 8,
    uploadThroughput: (kilobits * 1000) / 8,
  })
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: cpuSlowdown })
  return traffic
}

/** The worst five seconds of shifts, as the web vitals count them. */
function cumulativeShift(shifts: { at: number; value: number }[]): number {
  let worst = 0
  let window = { begun: 0, last: -Infinity, sum: 0 }
  for (const { at, value } of shifts) {
    const goesOn = at - window.last < 1000 && at - window.begun < 5000
    window = goesOn ? { begun: window.begun, last: at, sum: window.sum + value } : { begun: at, last: at, sum: value }
    worst = Math.max(worst, window.sum)
  }
  return worst
}

const rows: string[] = []

for (const { name, path, heading, signedIn, ready } of pages) {
  test(`first load of ${name}`, async ({ page }) => {
    test.setTimeout(180_000)
    if (signedIn) await signIn(page)
    await watchOver(page)
    const traffic = await countTraffic(page)
    await page.goto(path)
    await arrived(page, heading)
    await expect(page.getByText(ready).first()).toBeVisible({ timeout: 60_000 })
    const complete = await page.evaluate(() => performance.now())
    if (signedIn) await expectLive(page)
    await page.waitForTimeout(afterwardsMs)
    const { longTasks, shifts, largestPaint } = await watched(page)
    const firstPaint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN)
    const blocking = longTasks.filter(({ at }) => at >= firstPaint).reduce((sum, { ms }) => sum + ms - blockingMs, 0)
    const shift = cumulativeShift(shifts)
    rows.push(
      `| ${name} | ${firstPaint.toFixed(0)} | ${largestPaint.toFixed(0)} | ${complete.toFixed(0)} | ${shift.toFixed(4)} | ${blocking.toFixed(0)} | ${traffic.requests} | ${(traffic.bytes / 1000).toFixed(0)} |`,
    )
    for (const { at, value, what } of shifts) if (value > 0.001) rows.push(`  shift of ${value.toFixed(4)} at ${at.toFixed(0)} ms: ${what}`)
  })
}

test.afterAll(() => {
  const head = [
    `CPU at 1/${cpuSlowdown}, ${latencyMs} ms there and back, ${kilobits} kbit/s, nothing in the cache`,
    '| page | FCP ms | LCP ms | complete ms | CLS | TBT ms | requests | kB |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ]
  process.stdout.write(`${[...head, ...rows].join('\n')}\n`)
})
