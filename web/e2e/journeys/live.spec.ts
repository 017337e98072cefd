import { readFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import type { Page } from '@playwright/test'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, expectLive, signIn } from '../support/people'
import { restart } from '../support/stack'

const name = () => `journey-${randomUUID().slice(0, 8)}@example.com`

function connected(page: Page) {
  return page.getByRole('region', { name: 'Connected', exact: true })
}

test('a connect is seen, found again, sent as a link, exported, and seen to end', async ({ page, anotherPage }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'live')
  await signIn(page)
  await expectLive(page)
  const active = page.getByTestId('Active sessions')
  await expect(active).not.toHaveText('–')

  // The dashboard changes by itself.
  const before = Number((await active.textContent())?.replaceAll(',', ''))
  const user = name()
  const begun = Date.now()
  const session = await agent.connects(user)
  await expect(connected(page).getByText(user)).toBeVisible()
  test.info().annotations.push({ type: 'post to visible', description: `${Date.now() - begun} ms` })
  await expect.poll(async () => Number((await active.textContent())?.replaceAll(',', ''))).toBeGreaterThanOrEqual(before)
  await agent.counts(session, 1_500_000, 3_000_000)

  // Found in two steps: the search, then the list.
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search' }).fill(user)
  await expect(page.getByRole('option', { name: new RegExp(user) }).first()).toBeVisible()
  await page.keyboard.press('Escape')
  await page.goto(`/sessions?search=${encodeURIComponent(user)}`)
  await arrived(page, 'Sessions')
  const link = page.getByRole('gridcell').getByRole('link', { name: user })
  await expect(link).toBeVisible()
  await link.click()
  await expect(page).toHaveURL(new RegExp(`/sessions/${session.session_id}`))
  await expect(page.getByText(session.virtual_ip).first()).toBeVisible()

  // A colleague opens the same view by its link.
  const view = `/sessions?server_instance=${agent.server}&status=active`
  const colleague = await anotherPage()
  await signIn(colleague, await aPerson(admin, 'viewer'), view, 'Sessions')
  await expect(colleague).toHaveURL(new RegExp(`server_instance=${agent.server}`))
  await expect(colleague.getByRole('gridcell').getByRole('link', { name: user })).toBeVisible()
  await expect(colleague.getByText('1–1 of 1 sessions')).toBeVisible()

  // The export has the rows that the API has.
  await page.goto(`/sessions?server_instance=${agent.server}`)
  await arrived(page, 'Sessions')
  await expect(page.getByRole('gridcell').getByRole('link', { name: user })).toBeVisible()
  await page.getByRole('button', { name: 'Export' }).click()
  const downloading = page.waitForEvent('download')
  await page.getByRole('menuitem', { name: /CSV/ }).click()
  const exported = await readFile(await (await downloading).path(), 'utf8')
  const { sessions } = await admin.get<{ sessions: { id: string }[] }>(`/api/sessions?server_instance=${agent.server}&per_page=500`)
  const ids = exported.split('\n').flatMap((line) => /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(line) ?? [])
  expect(new Set(ids)).toEqual(new Set(sessions.map(({ id }) => id)))

  // It ends while both look.
  await page.goto('/dashboard')
  await arrived(page, 'Dashboard')
  await expectLive(page)
  await agent.disconnects(session)
  await expect(page.getByRole('region', { name: 'Disconnected', exact: true }).getByText(user)).toBeVisible()
})

test('a list of sessions shows who comes at once, but moves no row under the pointer', async ({ page }) => {
  const agent = await Agent.beside(await Api.admin(), 'rows')
  await signIn(page, undefined, `/sessions?server_instance=${agent.server}`, 'Sessions')
  await expectLive(page)
  const rows = page.getByRole('row').filter({ hasText: /journey-/ })
  // As they are seen: the grid puts them there by transforms.
  const names = () =>
    rows.evaluateAll((elements) =>
      elements
        .toSorted((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex))
        .map((row) => /journey-\w+@example\.com/.exec(row.textContent ?? '')?.[0]),
    )
  // Sooner than the list is loaded again.
  const soon = { timeout: 5_000 }
  const first = await agent.connects(name())
  await expect.poll(names, soon).toEqual([first.common_name])
  const second = await agent.connects(name())
  await expect.poll(names, soon).toEqual([second.common_name, first.common_name])

  await rows.first().hover()
  const third = await agent.connects(name())
  const waiting = page.getByRole('button', { name: '1 new session: show' })
  await expect(waiting).toBeVisible(soon)
  await agent.disconnects(second)
  await expect(rows.filter({ hasText: second.common_name })).toContainText('disconnected', soon)
  expect(await names()).toEqual([second.common_name, first.common_name])
  await waiting.click()
  await expect.poll(names).toEqual([third.common_name, second.common_name, first.common_name])
  await expect(waiting).toHaveCount(0)
})

test('of two thousand sessions every one is counted, as they come, as they go, and after the page is loaded again', async ({ page }) => {
  const agent = await Agent.beside(await Api.admin(), 'many')
  await signIn(page, undefined, `/servers/${agent.serverId}`, new RegExp(`^${agent.server}`))
  await expectLive(page)
  // The panel; the table in it has the same name.
  const active = page.getByRole('region', { name: 'Active sessions' }).first()
  const sessions = await agent.allConnect(Array.from({ length: 2000 }, name))
  await expect(active).toContainText('the newest 12 of 2,000')
  await agent.allDisconnect(sessions.slice(0, 750))
  await expect(active).toContainText('the newest 12 of 1,250')
  const last = await agent.connects(name())
  await expect(active.getByRole('link', { name: last.common_name })).toBeVisible()
  await expect(active).toContainText('the newest 12 of 1,251')

  await page.reload()
  await arrived(page, new RegExp(`^${agent.server}`))
  await expectLive(page)
  await expect(active).toContainText('the newest 12 of 1,251')
  await expect(active.getByRole('link', { name: last.common_name })).toBeVisible()
  await agent.allDisconnect([...sessions.slice(750), last])
  await expect(active).toContainText('Nobody is connected')
})

test('Redis and NATS go and come back, and the page recovers by itself', async ({ page }) => {
  const agent = await Agent.beside(await Api.admin(), 'faults')
  await signIn(page)
  await expectLive(page)
  const first = name()
  await agent.connects(first)
  await expect(connected(page).getByText(first)).toBeVisible()

  await restart('nats', async () => {
    await expect(page.getByRole('status', { name: /^Live updates/ })).not.toHaveAttribute('data-state', 'live')
    // The last state is still there.
    await expect(connected(page).getByText(first)).toBeVisible()
  })
  await expectLive(page)
  const second = name()
  await expect
    .poll(() => agent.send({ type: 'SESSION_CONNECTED', event_id: randomUUID(), common_name: second, virtual_ip: '10.99.9.2' }), {
      timeout: 30_000,
    })
    .toBeLessThan(300)
  await expect(connected(page).getByText(second)).toBeVisible()

  await restart('redis', async () => {
    await expect(connected(page).getByText(second)).toBeVisible()
  })
  await expectLive(page)
  const third = name()
  await expect
    .poll(() => agent.send({ type: 'SESSION_CONNECTED', event_id: randomUUID(), common_name: third, virtual_ip: '10.99.9.3' }), {
      timeout: 30_000,
    })
    .toBeLessThan(300)
  await expect(connected(page).getByText(third)).toBeVisible()
})
