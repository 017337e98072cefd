import { randomUUID } from 'node:crypto'
import { Agent } from '../support/agent'
import { expect, test } from '../support/journey'
import { arrived, expectLive, signIn } from '../support/people'

test('a VPN server is registered, its agent gets a key, connects, and is refused once the key is revoked', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await signIn(page, undefined, '/servers', 'Servers')
  const server = `journey-${randomUUID().slice(0, 8)}`
  await page.getByRole('button', { name: 'Register a VPN server' }).click()
  await page.getByLabel('Name', { exact: true }).fill('not a name!')
  await page.getByRole('button', { name: 'Register', exact: true }).click()
  await expect(page.getByText('the first a letter or digit')).toBeVisible()
  await page.getByLabel('Name', { exact: true }).fill(server)
  await page.getByRole('button', { name: 'Register', exact: true }).click()
  await arrived(page, new RegExp(`^${server}`))
  await expect(page.getByText('never seen')).toBeVisible()

  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Label', { exact: true }).fill('first')
  await page.getByRole('button', { name: 'Create key' }).click()
  const key = (await page.getByRole('region', { name: 'API key', exact: true }).textContent())?.trim() ?? ''
  expect(key).toMatch(/^ovt_/)
  const configuration = page.getByRole('region', { name: 'Agent configuration' })
  await expect(configuration).toContainText(server)
  await expect(configuration).toContainText(key)
  await page.getByRole('button', { name: 'Copy API key' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key)
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByText(key)).toHaveCount(0)

  await expectLive(page)
  const agent = Agent.withKey(server, key)
  const user = `key-${randomUUID().slice(0, 8)}@example.com`
  await agent.connects(user)
  await expect(page.getByRole('region', { name: 'Active sessions' }).getByRole('link', { name: user })).toBeVisible()

  await page.getByRole('button', { name: /^Revoke the key/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(page.getByText('revoked')).toBeVisible()
  await expect.poll(() => agent.send({ type: 'SESSION_CONNECTED', common_name: user, virtual_ip: '10.99.0.200' })).toBe(401)

  await page.getByRole('button', { name: 'Retire' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Retire' }).click()
  await expect(page.getByText('This VPN server is retired')).toBeVisible()
})
