import { randomUUID } from 'node:crypto'
import type { Page } from '@playwright/test'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { expectLive, signIn } from '../support/people'
import { quantile, readHeap, slopeAMinute, watched, watchOver, type HeapReading, type Watched } from './watch'

const minutes = Number(process.env.MINUTES ?? 10)
const sessions = Number(process.env.SESSIONS ?? 10_000)
const probes = Number(process.env.PROBES ?? 220)
const heapEveryMs = Math.min(30_000, (minutes * 60_000) / 4)
/** After the page is live: what belongs to its load is over. */
const settleMs = 5_000

const pages = [
  { path: '/dashboard', heading: 'Dashboard', probes },
  { path: '/sessions?status=active', heading: 'Sessions', probes: 0 },
]

const rounded = (value: number, digits = 1) => value.toFixed(digits)

test.beforeAll(async () => {
  test.setTimeout(600_000)
  const admin = await Api.admin()
  const count = async () => (await admin.get<{ active_sessions: number }>('/api/analytics/dashboard')).active_sessions
  await expect.poll(count, { timeout: 600_000, intervals: [2_000] }).toBeGreaterThanOrEqual(sessions * 0.95)
})

/** Posts a connect from the page, so that its clock measures both ends; true when it was accepted. */
function probe(page: Page, agent: Agent, name: string, number: number): Promise<{ posted: number; status: number }> {
  const body = agent.body({
    type: 'SESSION_CONNECTED',
    common_name: name,
    real_ip: '203.0.113.77',
    virtual_ip: `10.98.${number >> 8}.${number & 255}`,
  })
  return page.evaluate(
    async ({ body, key, name }) => {
      const { watch } = globalThis as unknown as { watch: Watched }
      watch.awaited.add(name)
      const posted = performance.now()
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
      const { status } = await fetch('/api/v1/events', { method: 'POST', headers, body, credentials: 'omit' })
      return { posted, status }
    },
    { body: JSON.stringify(body), key: agent.key, name },
  )
}

for (const { path, heading, probes } of pages) {
  test(`${path} under load`, async ({ page }) => {
    test.setTimeout(minutes * 60_000 + 300_000)
    const agent = await Agent.beside(await Api.admin(), 'probe')
    await watchOver(page)
    await signIn(page, undefined, path, heading)
    await expectLive(page)
    const devtools = await page.context().newCDPSession(page)
    await page.waitForTimeout(settleMs)
    const begun = await page.evaluate(() => performance.now())
    const before = await watched(page)

    const until = Date.now() + minutes * 60_000
    const heap: HeapReading[] = []
    const posted: Record<string, number> = {}
    const probing = async () => {
      for (let number = 1; number <= probes; number += 1) {
        const name = `probe-${randomUUID().slice(0, 13)}@example.com`
        const answer = await probe(page, agent, name, number)
        expect(answer.status).toBeLessThan(300)
        posted[name] = answer.posted
        // Evenly over the time, but never on the beat of anything else.
        await page.waitForTimeout(Math.max(0, ((until - Date.now()) / (probes - number + 1)) * (0.5 + Math.random())))
      }
    }
    const reading = async () => {
      while (Date.now() < until) {
        heap.push(await readHeap(page, devtools))
        await page.waitForTimeout(Math.max(0, Math.min(heapEveryMs, until - Date.now())))
      }
      heap.push(await readHeap(page, devtools))
    }
    await Promise.all([probing(), reading()])
    const all = async () => Object.keys((await watched(page)).seen).length === probes
    for (let seconds = 0; seconds < 30 && !(await all()); seconds += 1) await page.waitForTimeout(1000)
    await expectLive(page)

    const after = await watched(page)
    // Collecting by force stops the page: that is this program's doing.
    const forced = (at: number) => heap.some(({ from, to }) => at >= from - 5 && at <= to + 5)
    const since = <T extends { at: number }>(entries: T[]) => entries.filter(({ at }) => at >= begun && !forced(at))
    const tasks = since(after.longTasks).map(({ ms }) => ms)
    const late = since(after.lateFrames).map(({ ms }) => ms)
    const shifted = since(after.shifts)
    const levels = heap.map(({ megabytes }) => megabytes)
    const lines = [
      `long tasks: ${tasks.length}, longest ${rounded(Math.max(0, ...tasks), 0)} ms (aim: none over 200 ms); while loading: longest ${rounded(Math.max(0, ...before.longTasks.map(({ ms }) => ms)), 0)} ms`,
      `frames: ${after.frames - before.frames}, later than 50 ms: ${late.length}, latest ${rounded(Math.max(0, ...late), 0)} ms`,
      `heap after collection, MB: ${levels.map((level) => rounded(level)).join(' ')}`,
      `heap: from ${rounded(Math.min(...levels))} to ${rounded(Math.max(...levels))} MB, slope ${rounded(slopeAMinute(heap), 3)} MB a minute; nodes ${heap[0]?.nodes} → ${heap.at(-1)?.nodes}, listeners ${heap[0]?.listeners} → ${heap.at(-1)?.listeners}`,
      `layout shift while live: ${rounded(
        shifted.reduce((sum, { value }) => sum + value, 0),
        4,
      )}${shifted[0] ? ` (${shifted[0].what})` : ''}`,
    ]
    if (probes > 0) {
      // The feed has ten entries: what comes later than ten newer ones is never in it, and counts as for ever.
      const took = (end: (name: string) => number | undefined) =>
        Object.entries(posted).map(([name, from]) => (end(name) ?? Number.POSITIVE_INFINITY) - from)
      const inDocument = took((name) => after.seen[name]?.inDocument)
      const painted = took((name) => after.seen[name]?.painted)
      const figures = (values: number[]) =>
        `p50 ${rounded(quantile(values, 0.5), 0)} ms, p90 ${rounded(quantile(values, 0.9), 0)} ms, p99 ${rounded(quantile(values, 0.99), 0)} ms, max ${rounded(Math.max(...values), 0)} ms`
      lines.push(
        `from POST to the entry in the document, ${inDocument.length} probes: ${figures(inDocument)} (aim: p99 ≤ 1,000 ms)`,
        `from POST to painted: ${figures(painted)}`,
      )
    }
    const title = `${path}, ${minutes} min, ${sessions} sessions, ${process.env.RATE ?? '?'} events/s`
    process.stdout.write(`${[title, ...lines].join('\n  ')}\n`)
  })
}
