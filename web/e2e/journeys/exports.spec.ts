import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { arrived, signIn } from '../support/people'

interface Row {
  id: string
  common_name: string
  virtual_ip: string
  session_status: string
  connected_at: string
}

async function download(page: Page, format: RegExp): Promise<Buffer> {
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const downloading = page.waitForEvent('download')
  await page.getByRole('menuitem', { name: format }).click()
  return readFile(await (await downloading).path())
}

/** The lines that have something in `key`, as objects. None of the cells that are compared here is quoted. */
function records(csv: string, key: string): Record<string, string>[] {
  const [head = '', ...lines] = csv.replace(/^\uFEFF/, '').split(/\r?\n/)
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [names[index], cell]))).filter((record) => record[key])
}

test('an export holds every row of the filter, as the API has them, not only the page that is shown', async ({ page }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'export')
  const names = Array.from({ length: 60 }, () => `export-${randomUUID().slice(0, 12)}@example.com`)
  const sessions = await agent.allConnect(names)
  for (const session of sessions.slice(0, 5)) await agent.disconnects(session)
  const path = `/api/sessions?server_instance=${agent.server}&per_page=500`
  const told = async () => (await admin.get<{ sessions: Row[] }>(path)).sessions
  await expect.poll(async () => (await told()).filter((row) => row.session_status === 'disconnected').length).toBe(5)
  const rows = await told()
  expect(rows).toHaveLength(60)

  await signIn(page, undefined, `/sessions?server_instance=${agent.server}`, 'Sessions')
  await expect(page.getByText('1–50 of 60 sessions')).toBeVisible()
  const exported = records((await download(page, /CSV/)).toString('utf8'), 'session_id')
  const asTold = ({ id, common_name, virtual_ip, session_status, connected_at }: Row) =>
    [id, common_name, virtual_ip, session_status, Date.parse(connected_at)].join(' ')
  const asExported = (record: Record<string, string>) =>
    asTold({
      id: record.session_id ?? '',
      common_name: record.common_name ?? '',
      virtual_ip: record.virtual_ip ?? '',
      session_status: record.session_status ?? '',
      connected_at: record.connected_at_utc ?? '',
    })
  expect(exported.map(asExported).toSorted()).toEqual(rows.map(asTold).toSorted())
  // A workbook is a ZIP archive; what is in it is compared with the API in the tests of query-api.
  expect((await download(page, /Excel/)).subarray(0, 2).toString()).toBe('PK')

  // A narrower filter, a narrower export.
  await page.goto(`/sessions?server_instance=${agent.server}&status=disconnected`)
  await arrived(page, 'Sessions')
  await expect(page.getByText('1–5 of 5 sessions')).toBeVisible()
  expect(records((await download(page, /CSV/)).toString('utf8'), 'session_id')).toHaveLength(5)
})
