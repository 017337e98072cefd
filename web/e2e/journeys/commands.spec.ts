import { randomUUID } from 'node:crypto'
import { expect, test } from '@playwright/test'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { arrived, signIn } from '../support/people'

test('a termination is followed to its end on the session’s page, and its denial is revoked', async ({ page }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'kill')
  const session = await agent.connects(`mallory-${randomUUID().slice(0, 8)}@example.com`)
  await expect.poll(async () => (await admin.request('GET', `/api/sessions/${session.session_id}`)).status).toBe(200)

  await signIn(page, undefined, `/sessions/${session.session_id}`, new RegExp(`^${session.common_name}`))
  await page.getByRole('button', { name: 'Terminate' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('Left the company')
  await dialog.getByLabel('Afterwards').click()
  await page.getByRole('option', { name: 'Refuse new connects for 1 hour' }).click()
  await dialog.getByRole('button', { name: 'Request termination' }).click()
  await expect(page.getByText('no agent has taken it yet')).toBeVisible()

  const told = await agent.polls()
  const [command] = told.commands
  expect(command?.session_id).toBe(session.session_id)
  expect(told.denials.map(({ common_name }) => common_name)).toEqual([session.common_name])
  await expect(page.getByText('Termination delivered to the agent')).toBeVisible()
  await agent.reports(command?.id ?? '', { state: 'accepted' })
  await expect(page.getByText('The daemon has accepted the termination')).toBeVisible()
  await agent.send({
    type: 'SESSION_DISCONNECTED',
    session_id: session.session_id,
    common_name: session.common_name,
    disconnect_reason: 'terminated',
  })
  await agent.reports(command?.id ?? '', { state: 'gone' })
  await expect(page.getByText('the agent watches whether the VPN user comes back')).toBeVisible()
  await agent.reports(command?.id ?? '', { state: 'stayed_gone', gone_ms_ago: 2_000 })
  await expect(page.getByText('the VPN user has not come back')).toBeVisible()
  await expect(page.getByRole('list', { name: 'Steps' })).toContainText('accepted by the daemon after')
  await expect(page.getByText('Ended on request')).toBeVisible()

  await page.getByRole('link', { name: 'new connects refused' }).click()
  await arrived(page, 'Denials')
  const row = page.getByRole('row', { name: new RegExp(session.common_name) })
  await expect(row).toContainText('agent not told yet')
  // The agent tells by its next poll that it has stored the list.
  const waiting = agent.polls(told.denials_version)
  await expect(row).toContainText('refused')
  await row.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(row).toHaveCount(0)
  expect((await waiting).denials).toEqual([])
})
