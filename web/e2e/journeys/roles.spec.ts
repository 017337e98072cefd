import { randomUUID } from 'node:crypto'
import { expect, test } from '@playwright/test'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { aPerson, signIn } from '../support/people'

test('a viewer cannot do what an operator can, nor an operator what an admin can', async ({ browser }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'roles')
  const user = `roles-${randomUUID().slice(0, 8)}@example.com`
  await agent.connects(user)
  const viewer = await aPerson(admin, 'viewer')
  const operator = await aPerson(admin, 'operator')

  const seen = await (await browser.newContext()).newPage()
  await signIn(seen, viewer, `/vpn-users?search=${encodeURIComponent(user)}`)
  await seen.getByRole('gridcell').getByRole('link', { name: user }).click()
  await expect(seen.getByRole('heading', { name: user })).toBeVisible()
  await expect(seen.getByRole('button', { name: /^Edit/ })).toHaveCount(0)
  await expect(seen.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Portal users' })).toHaveCount(0)
  await seen.goto('/portal-users')
  await expect(seen.getByText('Your roles do not include this page')).toBeVisible()
  await seen.goto('/servers')
  await expect(seen.getByRole('heading', { name: 'Servers' })).toBeVisible()
  await expect(seen.getByRole('button', { name: 'Register a VPN server' })).toHaveCount(0)
  await seen.context().close()

  const edits = await (await browser.newContext()).newPage()
  await signIn(edits, operator, `/vpn-users?search=${encodeURIComponent(user)}`)
  await edits.getByRole('gridcell').getByRole('link', { name: user }).click()
  await edits.getByRole('button', { name: /^Edit/ }).click()
  await edits.getByLabel('Full name').fill('Journey Person')
  await edits.getByRole('button', { name: 'Save' }).click()
  await expect(edits.getByText('Journey Person').first()).toBeVisible()
  await edits.context().close()

  // What the pages hide the services refuse.
  const asViewer = await Api.signIn(viewer.username, viewer.password)
  expect((await asViewer.request('GET', '/api/portal-users')).status).toBe(403)
  expect((await asViewer.request('POST', '/api/servers', { name: 'not-mine' })).status).toBe(403)
})

test('an admin makes a portal user, and a deactivated one is out at once', async ({ page, browser }) => {
  await signIn(page, undefined, '/portal-users')
  await page.getByRole('link', { name: 'New portal user' }).click()
  // The list that it leaves has a field for the username too.
  await expect(page.getByRole('heading', { name: 'New portal user' })).toBeVisible()
  const username = `made_${randomUUID().slice(0, 8)}`
  const password = 'Made-by-Admin-1'
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('E-mail address').fill('not an address')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Password again').fill('something else')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('This is no e-mail address')).toBeVisible()
  await expect(page.getByText('The two are not the same')).toBeVisible()
  await expect(page.getByText('Choose at least one role')).toBeVisible()
  await expect(page.getByLabel('Username')).toHaveValue(username)
  await page.getByLabel('E-mail address').fill(`${username}@example.com`)
  await page.getByLabel('Password again').fill(password)
  await page.getByRole('checkbox', { name: /^viewer/ }).check()
  await page.getByLabel('Must choose another password').uncheck()
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByRole('gridcell').getByRole('link', { name: username })).toBeVisible()

  const theirs = await (await browser.newContext()).newPage()
  await signIn(theirs, { username, password })
  await page.getByRole('gridcell').getByRole('link', { name: username }).click()
  await page.getByLabel('May sign in').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved')).toBeVisible()
  await expect(theirs.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await theirs.context().close()

  // And the audit log has it, with before and after.
  await page.goto('/audit-logs?action=update&object_type=portal_user')
  await page
    .getByRole('gridcell', { name: /"is_active"/ })
    .first()
    .click()
  await expect(page.getByRole('dialog').getByRole('region', { name: 'Details' })).toContainText('"is_active": false')
})
