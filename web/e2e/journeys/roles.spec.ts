import { randomUUID } from 'node:crypto'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, signIn } from '../support/people'

test('a viewer cannot do what an operator can, nor an operator what an admin can', async ({ anotherPage }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'roles')
  const user = `roles-${randomUUID().slice(0, 8)}@example.com`
  await agent.connects(user)
  const viewer = await aPerson(admin, 'viewer')
  const operator = await aPerson(admin, 'operator')

  const seen = await anotherPage()
  await signIn(seen, viewer, `/vpn-users?search=${encodeURIComponent(user)}`, 'VPN users')
  await seen.getByRole('gridcell').getByRole('link', { name: user }).click()
  await arrived(seen, new RegExp(`^${user}`))
  await expect(seen.getByRole('button', { name: /^Edit/ })).toHaveCount(0)
  await expect(seen.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Portal users' })).toHaveCount(0)
  await seen.goto('/portal-users')
  await expect(seen.getByText('Your roles do not include this page')).toBeVisible()
  await seen.goto('/servers')
  await arrived(seen, 'Servers')
  await expect(seen.getByRole('button', { name: 'Register a VPN server' })).toHaveCount(0)

  const edits = await anotherPage()
  await signIn(edits, operator, `/vpn-users?search=${encodeURIComponent(user)}`, 'VPN users')
  await edits.getByRole('gridcell').getByRole('link', { name: user }).click()
  await arrived(edits, new RegExp(`^${user}`))
  await edits.getByRole('button', { name: /^Edit/ }).click()
  await edits.getByLabel('Full name', { exact: true }).fill('Journey Person')
  await edits.getByRole('button', { name: 'Save' }).click()
  await expect(edits.getByText('Journey Person').first()).toBeVisible()

  // What the pages hide the services refuse.
  const asViewer = await Api.signIn(viewer.username, viewer.password)
  expect((await asViewer.request('GET', '/api/portal-users')).status).toBe(403)
  expect((await asViewer.request('POST', '/api/servers', { name: 'not-mine' })).status).toBe(403)
})

test('an admin makes a portal user, and a deactivated one is out at once', async ({ page, anotherPage }) => {
  await signIn(page, undefined, '/portal-users', 'Portal users')
  await page.getByRole('link', { name: 'New portal user' }).click()
  await arrived(page, 'New portal user')
  const username = `made_${randomUUID().slice(0, 8)}`
  const password = 'Made-by-Admin-1'
  await page.getByLabel('Username', { exact: true }).fill(username)
  await page.getByLabel('E-mail address', { exact: true }).fill('not an address')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Password again', { exact: true }).fill('something else')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('This is no e-mail address')).toBeVisible()
  await expect(page.getByText('The two are not the same')).toBeVisible()
  await expect(page.getByText('Choose at least one role')).toBeVisible()
  await expect(page.getByLabel('Username', { exact: true })).toHaveValue(username)
  await page.getByLabel('E-mail address', { exact: true }).fill(`${username}@example.com`)
  await page.getByLabel('Password again', { exact: true }).fill(password)
  await page.getByRole('checkbox', { name: /^viewer/ }).check()
  await page.getByLabel('Must choose another password').uncheck()
  await page.getByRole('button', { name: 'Create' }).click()
  await arrived(page, 'Portal users')
  await expect(page.getByRole('gridcell').getByRole('link', { name: username })).toBeVisible()

  const theirs = await anotherPage()
  await signIn(theirs, { username, password })
  await page.getByRole('gridcell').getByRole('link', { name: username }).click()
  await arrived(page, username)
  await page.getByLabel('May sign in', { exact: true }).uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved')).toBeVisible()
  await arrived(theirs, 'Sign in')

  // And the audit log has it, with before and after.
  await page.goto('/audit-logs?action=update&object_type=portal_user')
  await arrived(page, 'Audit log')
  await page
    .getByRole('gridcell', { name: /"is_active"/ })
    .first()
    .click()
  await expect(page.getByRole('dialog').getByRole('region', { name: 'Details' })).toContainText('"is_active": false')
})
