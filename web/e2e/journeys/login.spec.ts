import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, fillLogin, signIn, signOut } from '../support/people'
import { stack } from '../support/stack'
import { totpAt } from '../support/totp'

test('a wrong password and an unknown name are told alike, and what was typed stays', async ({ page }) => {
  await page.goto('/')
  await arrived(page, 'Sign in')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByText('Enter your username')).toBeVisible()
  await fillLogin(page, { username: stack.admin.username, password: 'wrong' })
  const alert = page.getByRole('alert')
  await expect(alert).toBeVisible()
  const wrongPassword = await alert.textContent()
  await expect(page.getByLabel('Username', { exact: true })).toHaveValue(stack.admin.username)
  await fillLogin(page, { username: 'nobody_here', password: 'wrong' })
  await expect(page.getByLabel('Username', { exact: true })).toHaveValue('nobody_here')
  await expect(alert).toHaveText(wrongPassword ?? '')
})

test('the password can be looked at', async ({ page }) => {
  await page.goto('/')
  await arrived(page, 'Sign in')
  const password = page.getByLabel('Password', { exact: true })
  await password.fill('secret')
  await expect(password).toHaveAttribute('type', 'password')
  await page.getByRole('button', { name: 'Show the password' }).click()
  await expect(password).toHaveAttribute('type', 'text')
})

test('one gets back to where one was going, and stays signed in over a reload', async ({ page }) => {
  await signIn(page, stack.admin, '/servers?sort=-active_sessions', 'Servers')
  await expect(page).toHaveURL(/\/servers\?sort=-active_sessions$/)
  await expect(page).toHaveTitle('Servers · OpenVPN Telemetry')
  await page.reload()
  await arrived(page, 'Servers')
})

test('the access token is in no storage, and the refresh token out of reach of scripts', async ({ page, context }) => {
  await signIn(page)
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie)
  expect(stored).not.toContain('eyJ')
  expect(stored).not.toContain('refresh')
  const cookie = (await context.cookies()).find(({ name }) => name === '__Host-refresh')
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' })
})

test('logging out ends every tab, and the old token is worth nothing', async ({ page, context }) => {
  let token = ''
  page.on('request', (request) => {
    token = request.headers()['authorization']?.replace('Bearer ', '') ?? token
  })
  await signIn(page)
  const second = await context.newPage()
  await second.goto('/servers')
  await arrived(second, 'Servers')
  expect((await Api.withToken(token).request('GET', '/api/auth/me')).status).toBe(200)
  await signOut(page)
  await arrived(second, 'Sign in')
  await expect.poll(async () => (await Api.withToken(token).request('GET', '/api/sessions')).status).toBe(401)
})

test('a second factor is set up, asked for, and can be turned off', async ({ page }) => {
  const person = await aPerson(await Api.admin(), 'viewer')
  await signIn(page, person, '/profile', 'Profile')
  await page.getByRole('button', { name: 'Set up' }).click()
  await expect(page.getByRole('img', { name: 'QR code' })).toBeVisible()
  const secret =
    (await page
      .locator('.mono')
      .filter({ hasText: /^[A-Z2-7]{16,}$/ })
      .first()
      .textContent()) ?? ''
  await page.getByLabel('Code that it shows').fill(totpAt(secret, Date.now() - 30_000))
  await page.getByRole('button', { name: 'Turn on' }).click()
  const codes = page
    .getByRole('list')
    .filter({ has: page.locator('li') })
    .locator('li')
  await expect(page.getByText('Keep these recovery codes')).toBeVisible()
  const recovery = (await codes.allTextContents()).find((text) => /^[0-9A-Za-z-]{8,}$/.test(text)) ?? ''
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await expect(page.getByText('10 recovery codes are left')).toBeVisible()

  await signOut(page)
  await fillLogin(page, person)
  await arrived(page, 'One-time code')
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  await page.getByLabel('Code', { exact: true }).fill(totpAt(secret, Date.now()))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: `Account of ${person.username}` })).toBeVisible()

  await signOut(page)
  await fillLogin(page, person)
  await arrived(page, 'One-time code')
  await page.getByLabel('Code', { exact: true }).fill(recovery)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: `Account of ${person.username}` })).toBeVisible()
  await page.goto('/profile')
  await arrived(page, 'Profile')
  await expect(page.getByText('9 recovery codes are left')).toBeVisible()
  await page.getByRole('button', { name: 'Turn off' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Password', { exact: true }).fill(person.password)
  await dialog.getByRole('button', { name: 'Turn off' }).click()
  await expect(page.getByRole('button', { name: 'Set up' })).toBeVisible()
})

test('a password set by somebody else has to be changed first', async ({ page }) => {
  const admin = await Api.admin()
  const person = await aPerson(admin, 'operator')
  const { temporary_password } = await admin.post<{ temporary_password: string }>(`/api/portal-users/${person.id}/reset-password`, {})
  await page.goto('/sessions')
  await fillLogin(page, { username: person.username, password: temporary_password })
  await arrived(page, 'Choose a new password')
  await page.getByLabel('Current password', { exact: true }).fill(temporary_password)
  await page.getByLabel('New password', { exact: true }).fill('A-new-One-4711')
  await page.getByLabel('New password again', { exact: true }).fill('A-new-One-4711')
  await page.getByRole('button', { name: 'Change password' }).click()
  await arrived(page, 'Sessions')
})
