import { randomUUID } from 'node:crypto'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, signIn } from '../support/people'

interface Told {
  session_status: string
  commands: { state: string; reason: string }[]
}

test('a termination that no agent takes is shown as requested, then as expired, and ends nothing', async ({ page, anotherPage }) => {
  // On the stack of `make up` a request waits two minutes.
  test.setTimeout(240_000)
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'terminate')
  const user = `kill-${randomUUID().slice(0, 8)}@example.com`
  const session = await agent.connects(user)
  const told = () => admin.get<Told>(`/api/sessions/${session.session_id}`)
  await expect.poll(async () => (await told()).session_status).toBe('active')

  await signIn(page, undefined, `/sessions/${session.session_id}`, new RegExp(`^${user}`))
  await page.getByRole('button', { name: 'Terminate', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Request termination' })).toBeDisabled()
  await dialog.getByLabel('Reason').fill('a journey’s reason')
  await dialog.getByRole('button', { name: 'Request termination' }).click()
  const command = page.getByRole('status').filter({ hasText: 'a journey’s reason' })
  await expect(command).toContainText('requested')
  expect((await told()).commands).toMatchObject([{ state: 'requested', reason: 'a journey’s reason' }])

  await expect(command).toContainText('expired', { timeout: 180_000 })
  expect(await told()).toMatchObject({ session_status: 'active', commands: [{ state: 'expired' }] })
  await expect(page.getByRole('heading', { level: 1 })).toContainText('active')

  // It is in the audit log, with its reason; and an operator is not offered it at all.
  await page.goto('/audit-logs?action=terminate&range=1h')
  await arrived(page, 'Audit log')
  await expect(page.getByRole('gridcell', { name: /a journey’s reason/ }).first()).toBeVisible()
  const operators = await anotherPage()
  await signIn(operators, await aPerson(admin, 'operator'), `/sessions/${session.session_id}`, new RegExp(`^${user}`))
  await expect(operators.getByRole('button', { name: 'Export', exact: true })).toBeVisible()
  await expect(operators.getByRole('button', { name: 'Terminate', exact: true })).toHaveCount(0)
})
