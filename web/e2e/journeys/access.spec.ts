import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, signIn } from '../support/people'

interface Entries {
  entries: { details: { before: Record<string, unknown>; after: Record<string, unknown> } }[]
}

test('a second factor demanded of a role stops those who have none until they set one up', async ({ page, anotherPage }) => {
  const admin = await Api.admin()
  const auditor = await aPerson(admin, 'auditor')
  const theirs = await anotherPage()
  await signIn(theirs, auditor)

  await signIn(page, undefined, '/portal-users', 'Portal users')
  const demand = page.getByRole('switch', { name: 'Demand two-factor sign-in of auditor' })
  await expect(demand).not.toBeChecked()
  await demand.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Demand it', exact: true }).click()
  try {
    await expect(demand).toBeChecked()
    await arrived(theirs, 'Set up two-factor sign-in')

    await page.goto('/audit-logs?action=update&object_type=portal_role')
    await arrived(page, 'Audit log')
    await page
      .getByRole('gridcell', { name: /requires_totp/ })
      .first()
      .click()
    await expect(page.getByRole('dialog').getByRole('region', { name: 'Details' })).toContainText('"requires_totp": true')
    const { entries } = await admin.get<Entries>('/api/audit-logs?action=update&object_type=portal_role&per_page=1')
    expect(entries[0]?.details).toMatchObject({ before: { requires_totp: false }, after: { requires_totp: true } })
  } finally {
    await admin.request('PUT', '/api/portal-roles/4', { requires_totp: false })
  }
})

test('signing out everywhere ends every browser and every token', async ({ page, anotherPage }) => {
  const person = await aPerson(await Api.admin(), 'viewer')
  const program = await Api.signIn(person.username, person.password)
  const elsewhere = await anotherPage()
  await signIn(elsewhere, person)
  await signIn(page, person, '/profile', 'Profile')
  await page.getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
  await arrived(page, 'Sign in')
  await arrived(elsewhere, 'Sign in')
  await expect.poll(async () => (await program.request('GET', '/api/sessions')).status).toBe(401)
})

test('an admin signs somebody out everywhere, who may come back', async ({ page, anotherPage }) => {
  const person = await aPerson(await Api.admin(), 'viewer')
  const program = await Api.signIn(person.username, person.password)
  const theirs = await anotherPage()
  await signIn(theirs, person)
  await signIn(page, undefined, `/portal-users/${person.id}`, person.username)
  await page.getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
  await arrived(theirs, 'Sign in')
  await expect.poll(async () => (await program.request('GET', '/api/sessions')).status).toBe(401)
  await signIn(theirs, person)
  await page.goto(`/audit-logs?action=logout_all&object_type=portal_user`)
  await arrived(page, 'Audit log')
  await expect(page.getByRole('gridcell', { name: String(person.id), exact: true }).first()).toBeVisible()
})
